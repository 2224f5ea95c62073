import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { DEMO_DELAYS } from "../../infra/local/demo-client.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { callApi, cartCampaign, publishCampaign } from "../support/livora-campaign.ts";
import { addClient } from "../support/livora-client.ts";
import { createPerson } from "../support/livora-person.ts";
import { type RunViewer, viewRuns, waitForRun } from "../support/livora-runs.ts";
import { readOutbox } from "../support/oracle-evidence.ts";
import { queryLake } from "../support/lake-reader.ts";
import { waitUntil } from "../support/wait-until.ts";

const run = promisify(execFile);
const CAMPAIGN = "cart-e2e";
const STEPS = [
  { channel: "whatsapp", delayMs: 1_500 },
  { channel: "email", delayMs: 3_500 },
] as const;
/** By then both messages would have come. */
const SILENT_AFTER_MS = STEPS[1].delayMs + 2_000;

let livora: Livora;
/** A client beside the demo's, whose campaign goes on for those who paste. */
let shop: Livora;
let runs: RunViewer;
beforeAll(async () => {
  livora = await startLivora();
  shop = await addClient(livora, "cart-shop");
  runs = await viewRuns(livora);
});
afterAll(async () => {
  await runs?.close();
  await livora?.tearDown();
});

/** When the cart was left of which the demo says how. */
let leftAt = 0;
async function seen(): Promise<string[]> {
  const [, look = ""] = commandsIn(livora.printed());
  const messages = JSON.parse(`[${(await paste(look)).replaceAll("][", "],[")}]`).flat() as { channel: string }[];
  return messages.map((message) => message.channel);
}

describe("npm start, and what it says", () => {
  it("prints a curl that leaves a cart, one that buys, and one that looks: the reminder comes", async () => {
    const [leave = "", , buy = ""] = commandsIn(livora.printed());
    expect(await paste(leave)).toMatch(/"offsets"/);
    leftAt = Date.now();
    await waitUntil(async () => (await seen()).length > 0, { timeoutMs: 30_000, what: "the reminder" });
    expect(await seen()).toEqual(["whatsapp"]);
    expect(await paste(buy)).toMatch(/"offsets"/);
  });
});

describe("a cart that is left", () => {
  beforeAll(async () => {
    await publishCampaign(shop, cartCampaign(CAMPAIGN, STEPS));
  });

  it.concurrent("is reminded of by WhatsApp, then by e-mail, each once, and the run ends", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    const leftAt = Date.now();
    const reminder = await person.waitForMessage("whatsapp");
    const coupon = await person.waitForMessage("email");
    expect(Date.parse(reminder.received_at) - leftAt).toBeGreaterThan(STEPS[0].delayMs - 500);
    expect(Date.parse(coupon.received_at) - leftAt).toBeGreaterThan(STEPS[1].delayMs - 500);
    expect(reminder).toMatchObject({ to: person.phone, body: expect.stringMatching(/\S/) });
    expect(coupon).toMatchObject({ to: person.email, subject: expect.stringMatching(/\S/) });
    await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "completed");
    expect(await person.messages()).toHaveLength(2);
  });

  it.concurrent("is forgotten when its owner buys, from any device", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    const bought = await person.buy({ user_id: person.user_id, session_id: "another device's" });
    const stopped = await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "stopped");
    expect(stopped.reason).toBe("purchase");
    expect(stopped.stopped_by_event_id).toBe(bought);
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
  });

  it.concurrent("of somebody unknown is reminded of once they log in, and forgotten when they buy under their name elsewhere", async () => {
    const [reader, buyer] = [createPerson(shop), createPerson(shop)];
    for (const person of [reader, buyer]) {
      const device = { anon_id: person.anon_id, session_id: person.session_id };
      await person.leaveCart(device);
      await person.identify();
    }
    await buyer.buy({ user_id: buyer.user_id });
    await reader.waitForMessage("whatsapp");
    await waitForRun(shop, CAMPAIGN, `anon:${buyer.anon_id}`, (row) => row.state === "stopped");
    await sleep(SILENT_AFTER_MS);
    expect(await buyer.messages()).toEqual([]);
  });

  it.concurrent("of somebody who bought anonymously on the same device is forgotten too", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    await person.buy({ anon_id: person.anon_id });
    await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "stopped");
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
  });
});

describe("a run under way", () => {
  it("says where it stands and why, and can be found by client, campaign, version and outcome", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    const row = await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`);
    await waitUntil(async () => (await runs.where(row).catch(() => null))?.node_type === "delay", {
      what: "a run that waits",
    });
    const status = await runs.where(row);
    expect(status.why).toMatch(/^waits until .* after the entry/);
    expect(Date.parse(status.waiting_until ?? "")).toBeGreaterThan(Date.now() - 60_000);
    expect(await runs.currentDetails(row)).toContain(status.node_id);
    await waitUntil(
      async () =>
        (await runs.list({ client: shop.client_id, campaign: CAMPAIGN, version: "1" })).includes(row.workflow_id),
      {
        what: "the run in Temporal's list",
      },
    );
    await person.buy();
    await waitUntil(
      async () => (await runs.list({ campaign: CAMPAIGN, outcome: "stopped" })).includes(row.workflow_id),
      {
        what: "the run in Temporal's list of the stopped",
      },
    );
    expect(row.workflow_id).not.toContain(person.user_id);
  });

  it("keeps its place while its campaign is paused", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`);
    await callApi(shop, "POST", `/api/v1/campaigns/${CAMPAIGN}/pause`);
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
    await callApi(shop, "POST", `/api/v1/campaigns/${CAMPAIGN}/resume`);
    await person.waitForMessage("whatsapp");
    await person.waitForMessage("email");
    expect(await person.messages()).toHaveLength(2);
  });

  it("leaves a trace of each message: in the ledger, in the stream and with the contact", async () => {
    const person = createPerson(shop);
    await person.identify();
    await person.leaveCart();
    await person.waitForMessage("email");
    const page = await callApi<{ deliveries: { state: string; channel: string; run_id: string }[] }>(
      shop,
      "GET",
      `/api/v1/campaigns/${CAMPAIGN}/deliveries`,
    );
    const row = await waitForRun(shop, CAMPAIGN, `user:${person.user_id}`);
    expect(
      page.deliveries.filter((delivery) => delivery.run_id === row.id).map((delivery) => delivery.channel),
    ).toHaveLength(2);
    const ofPerson = `event_type = 'campaign_delivery' AND contains(raw, '${row.id}')`;
    await waitUntil(
      async () =>
        (await queryLake(shop.lake, `SELECT event_id FROM events WHERE ${ofPerson}`, shop.client_id)).length >= 2,
      {
        what: "campaign_delivery events in the lake",
      },
    );
  });
});

it("keeps the order of a session from the edge to the lake", async () => {
  const person = createPerson(shop);
  const posted: string[] = [];
  for (let i = 0; i < 30; i++) posted.push(await person.post("product_view", { i }));
  const lie = () =>
    queryLake(
      shop.lake,
      `SELECT event_id FROM events WHERE session_id = '${person.session_id}' ORDER BY length(source_sequence), source_sequence, source_index`,
      shop.client_id,
    );
  await waitUntil(async () => (await lie()).length >= posted.length, { what: "the session in the lake" });
  expect((await lie()).map((row) => row["event_id"])).toEqual(posted);
});

it("the coupon never comes to who has bought by the printed curl", async () => {
  await sleep(Math.max(0, leftAt + DEMO_DELAYS.couponMs + 3_000 - Date.now()));
  expect(await seen()).toEqual(["whatsapp"]);
});

it("stops at Ctrl-C, leaving nothing running, and goes on with the same data", async () => {
  const before = (await readOutbox(livora.outbox)).length;
  expect(before).toBeGreaterThan(0);
  await runs.close();
  expect(await livora.stop()).toBe(0);
  expect([livora.pidOf("postgres"), livora.pidOf("ingest"), livora.pidOf("temporal")]).toEqual([null, null, null]);
  await livora.start();
  expect(await readOutbox(livora.outbox)).toHaveLength(before);
  const person = createPerson(shop);
  await person.identify();
  await person.leaveCart();
  await person.waitForMessage("email");
  runs = await viewRuns(livora);
});

/** The commands that are meant to be pasted, each a block of its own. */
function commandsIn(text: string): string[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => block.startsWith("curl "));
}

async function paste(command: string): Promise<string> {
  return (await run("bash", ["-c", command])).stdout;
}
