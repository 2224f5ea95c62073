import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { waitUntil } from "../../../test/support/wait-until.ts";

const SID = "AC00000000000000000000000000000000";
const TWILIO = { authorization: `Basic ${Buffer.from(`${SID}:sandbox-twilio-token`).toString("base64")}` };
const MESSAGES = `/2010-04-01/Accounts/${SID}/Messages.json`;

const dir = mkdtempSync(join(tmpdir(), "livora-sandbox-"));
let child: ChildProcess;
let base: string;

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(): Promise<void> {
  const main = new URL("main.ts", import.meta.url).pathname;
  const env = {
    ...process.env,
    LIVORA_SANDBOX_DIR: dir,
    LIVORA_OUTBOX_PORT: new URL(base).port,
    LIVORA_LOG_LEVEL: "error",
  };
  child = spawn(process.execPath, [main], { env, stdio: "ignore" });
  const isReady = () =>
    fetch(`${base}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(isReady);
}

async function kill(): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

beforeAll(async () => {
  base = `http://127.0.0.1:${await freePort()}`;
  await start();
});
afterEach(() => fetch(`${base}/_sandbox/faults`, { method: "DELETE" }));
afterAll(async () => {
  await kill();
  rmSync(dir, { recursive: true });
});

function text(fields: Record<string, string>, headers: Record<string, string> = TWILIO): Promise<Response> {
  const form = { To: "+919876543210", From: "+15005550006", Body: "Hello", ...fields };
  return fetch(base + MESSAGES, { method: "POST", headers, body: new URLSearchParams(form) });
}

const listOutbox = async () => (await (await fetch(`${base}/messages`)).json()) as { body: string; to: string }[];

const ask = async (query: string) => (await (await fetch(`${base}/messages?${query}`)).json()) as { body: string }[];

const statusOf = (path: string, headers: Record<string, string>) =>
  new Promise<number | undefined>((resolve, reject) => {
    httpRequest(base + path, { headers }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });

test("after kill -9 it has every message that it took, and still owes the webhooks that nobody has taken", async () => {
  const told: string[] = [];
  const api = createServer((request, response) => {
    told.push(request.url ?? "");
    response.end();
  });
  const port = await freePort();
  const callback = `http://127.0.0.1:${port}/told?delivery_id=1`;
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => text({ Body: `Message ${i}`, StatusCallback: callback })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(201));
  await kill();
  await new Promise<void>((resolve) => api.listen(port, "127.0.0.1", resolve));
  await start();
  const bodies = (await listOutbox()).map(({ body }) => body);
  expect(bodies.filter((body) => body.startsWith("Message")).toSorted()).toEqual(
    Array.from({ length: 30 }, (_, i) => `Message ${i}`).toSorted(),
  );
  await waitUntil(() => told.length >= 60);
  expect(new Set(told)).toEqual(new Set(["/told?delivery_id=1"]));
  api.closeAllConnections();
  api.close();
});

test.for<[Record<string, string>, number]>([
  [{ To: "12" }, 21211],
  [{ To: "+15005550001" }, 21211],
  [{ To: "" }, 21604],
  [{ From: "nobody" }, 21212],
  [{ From: "" }, 21603],
  [{ Body: "" }, 21602],
  [{ Body: "x".repeat(1601) }, 21617],
  [{ To: "whatsapp:+919876543210" }, 21910],
  [{ To: "+15005550009" }, 21614],
  [{ StatusCallback: "nowhere" }, 21609],
])("Twilio answers %o with %i", async ([fields, code]) => {
  const response = await text(fields);
  expect([response.status, await response.json()]).toMatchObject([400, { code, status: 400 }]);
});

test("nobody sends without the right credentials", async () => {
  const wrong = [await text({}, {}), await text({}, { authorization: "Basic eDp5" })];
  const mail = await fetch(`${base}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: "Bearer SG.x" },
    body: "{}",
  });
  const push = await fetch(`${base}/v1/projects/livora-sandbox/messages:send`, { method: "POST", body: "{}" });
  const grant = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "a.b.c" });
  const token = await fetch(`${base}/token`, { method: "POST", body: grant });
  expect([...wrong, mail, push, token].map(({ status }) => status)).toEqual([401, 401, 401, 401, 400]);
});

test("an approved template is filled in as Twilio does", async () => {
  const content = {
    friendly_name: "x",
    language: "en",
    variables: { 1: "there" },
    types: { "twilio/text": { body: "Hi {{1}}!" } },
  };
  const headers = { ...TWILIO, "content-type": "application/json" };
  const made = await fetch(`${base}/v1/Content`, { method: "POST", headers, body: JSON.stringify(content) });
  const { sid } = (await made.json()) as { sid: string };
  const sent = await text({ ContentSid: sid, ContentVariables: '{"1":"Ada"}', Body: "" });
  expect(await sent.json()).toMatchObject({ body: "Hi Ada!", status: "queued", direction: "outbound-api" });
});

test("the outbox can be asked by recipient, channel and time", async () => {
  await text({ To: "whatsapp:+919800000001", From: "whatsapp:+15005550006", Body: "For you" });
  expect(await ask("to=%2B919800000001&channel=whatsapp")).toMatchObject([
    { to: "+919800000001", from: "+15005550006", body: "For you", subject: null },
  ]);
  // As people type it.
  expect(await ask("to=+919800000001")).toHaveLength(1);
  expect(await ask("to=%2B919800000001&channel=sms")).toEqual([]);
  expect(await ask(`since=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
});

test("neither outbox nor switches answer a page of somebody else's", async () => {
  expect(await statusOf("/messages", { host: "evil.example" })).toBe(403);
  expect(await statusOf("/", { origin: "https://evil.example" })).toBe(403);
  expect(await statusOf("/_sandbox/faults", { origin: "https://evil.example" })).toBe(403);
  expect(await statusOf("/messages", {})).toBe(200);
});

test("a mail is shown in a frame that may run nothing", async () => {
  const body = {
    personalizations: [{ to: [{ email: "ada@example.com" }] }],
    from: { email: "hello@shop.example" },
    subject: "<b>Hi</b>",
    content: [{ type: "text/html", value: "<script>parent.alert(1)</script><p>Hi</p>" }],
  };
  const headers = { authorization: "Bearer SG.sandbox", "content-type": "application/json" };
  const sent = await fetch(`${base}/v3/mail/send`, { method: "POST", headers, body: JSON.stringify(body) });
  expect([sent.status, sent.headers.get("x-message-id")]).toEqual([202, expect.stringMatching(/^[\w-]{22}$/)]);
  const [{ id }] = (await (await fetch(`${base}/messages?channel=email`)).json()) as [{ id: string }];
  const view = await fetch(`${base}/outbox/${encodeURIComponent(id)}/view`);
  expect(view.headers.get("content-security-policy")).toMatch(/^sandbox allow-popups[^;]*; default-src 'none'/);
  const page = await fetch(`${base}/`);
  expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
});
