import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { afterAll, beforeAll, expect, test } from "vitest";

import { formatApiKey, hashApiKey, prefixOfApiKey } from "../core/api-key.ts";
import { decodeEnvelope } from "../core/envelope.ts";
import type { Context } from "../platform/context.ts";
import { apiKeys, clients } from "../platform/postgres/schema.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { makeEvent } from "../test/support/shop-event.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const client = `edge-${randomBytes(4).toString("hex")}`;
const key = formatApiKey(client, randomBytes(24));
let ctx: Context;
let service: ChildProcess;
let port = 0;
/** Requests that were taken so far. */
let answers = 0;

beforeAll(async () => {
  ctx = await createIsolatedContext({ LIVORA_INGEST_PORT: 0 });
  await ctx.db.insert(clients).values({ id: client, name: client });
  const row = {
    client_id: client,
    key_hash: hashApiKey(key),
    prefix: prefixOfApiKey(key),
    scopes: ["ingest" as const],
  };
  await ctx.db.insert(apiKeys).values(row);
  const settings = Object.entries(ctx.config).map(([name, value]) => [name, String(value)]);
  const env = { ...process.env, ...Object.fromEntries(settings), LIVORA_LOG_LEVEL: "info" };
  service = spawn(process.execPath, ["ingest/main.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: service.stdout ?? process.stdin })) {
    const said = JSON.parse(line) as { msg: string; port?: number };
    if (said.msg !== "ready") continue;
    port = said.port ?? 0;
    break;
  }
});
afterAll(async () => {
  service.kill("SIGKILL");
  await ctx.close();
});

/** The ids of the events that were taken; none where the service was gone or refused. */
async function send(): Promise<string[]> {
  const events = Array.from({ length: 5 }, () => makeEvent({ client_id: client }));
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "x-client-id": client, "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    if (response.status === 202) answers += 1;
    return response.status === 202 ? events.map((event) => event.event_id) : [];
  } catch {
    return [];
  }
}

test("SIGTERM under load: what was answered lies on the stream, and the process ends with 0", async () => {
  const exited = once(service, "exit");
  const over = new AbortController();
  const senders = Array.from({ length: 8 }, async () => {
    const taken: string[] = [];
    while (!over.signal.aborted) taken.push(...(await send()));
    return taken;
  });
  await waitUntil(() => answers > 20);
  service.kill("SIGTERM");
  const [code] = (await exited) as [number | null];
  over.abort();
  expect(code).toBe(0);
  const answered = (await Promise.all(senders)).flat();
  expect(answered.length).toBeGreaterThan(0);
  const records = await readStream(ctx.kinesis, ctx.config.LIVORA_STREAM_EVENTS);
  const events = records.flatMap(({ parts }) => parts.flatMap(({ data }) => decodeEnvelope(data).events));
  const kept = new Set(events.map((event) => (JSON.parse(event.toString()) as { event_id: string }).event_id));
  expect(answered.filter((id) => !kept.has(id))).toEqual([]);
});
