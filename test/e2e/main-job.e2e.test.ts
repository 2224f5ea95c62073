import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Livora, startLivora } from "../support/livora.ts";
import { callApi, cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
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
let runs: RunViewer;
beforeAll(async () => {
  livora = await startLivora();
  runs = await viewRuns(livora);
});
afterAll(async () => {
  await runs?.close();
  await livora?.tearDown();
});

describe("npm start, and what it says", () => {
  it("prints a curl that leaves a cart, one that buys, and one that looks: the reminder comes, the coupon never", async () => {
    const [leave = "", look = "", buy = ""] = commandsIn(livora.printed());
    expect(await paste(leave)).toMatch(/"offsets"/);
    const seen = async () =>
      JSON.parse(`[${(await paste(look)).replaceAll("][", "],[")}]`).flat() as { channel: string; body: string }[];
    await waitUntil(async () => (await seen()).length > 0, { timeoutMs: 30_000, what: "the reminder" });
    expect((await seen()).map((message) => message.channel)).toEqual(["whatsapp"]);
    expect(await paste(buy)).toMatch(/"offsets"/);
    await sleep(35_000);
    expect((await seen()).map((message) => message.channel)).toEqual(["whatsapp"]);
  });
});

describe("a cart that is left", () => {
  beforeAll(async () => {
    await pauseOthers(livora);
    await publishCampaign(livora, cartCampaign(CAMPAIGN, STEPS));
  });

  it("is reminded of by WhatsApp, then by e-mail, each once, and the run ends", async () => {
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    const leftAt = Date.now();
    const reminder = await person.waitForMessage("whatsapp");
    const coupon = await person.waitForMessage("email");
    expect(Date.parse(reminder.received_at) - leftAt).toBeGreaterThan(STEPS[0].delayMs - 500);
    expect(Date.parse(coupon.received_at) - leftAt).toBeGreaterThan(STEPS[1].delayMs - 500);
    expect(reminder).toMatchObject({ to: person.phone, body: expect.stringMatching(/\S/) });
    expect(coupon).toMatchObject({ to: person.email, subject: expect.stringMatching(/\S/) });
    await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "completed");
    expect(await person.messages()).toHaveLength(2);
  });

  it("is forgotten when its owner buys, from any device", async () => {
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    const bought = await person.buy({ user_id: person.user_id, session_id: "another device's" });
    const stopped = await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "stopped");
    expect(stopped.reason).toBe("purchase");
    expect(stopped.stopped_by_event_id).toBe(bought);
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
  });

  it("of somebody unknown is reminded of once they log in, and forgotten when they buy under their name elsewhere", async () => {
    const [reader, buyer] = [createPerson(livora), createPerson(livora)];
    for (const person of [reader, buyer]) {
      const device = { anon_id: person.anon_id, session_id: person.session_id };
      await person.leaveCart(device);
      await person.identify();
    }
    await buyer.buy({ user_id: buyer.user_id });
    await reader.waitForMessage("whatsapp");
    await waitForRun(livora, CAMPAIGN, `anon:${buyer.anon_id}`, (row) => row.state === "stopped");
    await sleep(SILENT_AFTER_MS);
    expect(await buyer.messages()).toEqual([]);
  });

  it("of somebody who bought anonymously on the same device is forgotten too", async () => {
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    await person.buy({ anon_id: person.anon_id });
    await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "stopped");
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
  });
});

describe("a run under way", () => {
  it("says where it stands and why, and can be found by client, campaign, version and outcome", async () => {
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    const row = await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`);
    await waitUntil(async () => (await runs.where(row).catch(() => null))?.node_type === "delay", {
      what: "a run that waits",
    });
    const status = await runs.where(row);
    expect(status.why).toMatch(/^waits until .* after the entry/);
    expect(Date.parse(status.waiting_until ?? "")).toBeGreaterThan(Date.now() - 60_000);
    expect(await runs.currentDetails(row)).toContain(status.node_id);
    await waitUntil(
      async () =>
        (await runs.list({ client: livora.client_id, campaign: CAMPAIGN, version: "1" })).includes(row.workflow_id),
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
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`);
    await callApi(livora, "POST", `/api/v1/campaigns/${CAMPAIGN}/pause`);
    await sleep(SILENT_AFTER_MS);
    expect(await person.messages()).toEqual([]);
    await callApi(livora, "POST", `/api/v1/campaigns/${CAMPAIGN}/resume`);
    await person.waitForMessage("whatsapp");
    await person.waitForMessage("email");
    expect(await person.messages()).toHaveLength(2);
  });

  it("leaves a trace of each message: in the ledger, in the stream and with the contact", async () => {
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    await person.waitForMessage("email");
    const page = await callApi<{ deliveries: { state: string; channel: string; run_id: string }[] }>(
      livora,
      "GET",
      `/api/v1/campaigns/${CAMPAIGN}/deliveries`,
    );
    const row = await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`);
    expect(
      page.deliveries.filter((delivery) => delivery.run_id === row.id).map((delivery) => delivery.channel),
    ).toHaveLength(2);
    const ofPerson = `event_type = 'campaign_delivery' AND contains(raw, '${row.id}')`;
    await waitUntil(
      async () =>
        (await queryLake(livora.lake, `SELECT event_id FROM events WHERE ${ofPerson}`, livora.client_id)).length >= 2,
      {
        what: "campaign_delivery events in the lake",
      },
    );
  });
});

it("keeps the order of a session from the edge to the lake", async () => {
  const person = createPerson(livora);
  const posted: string[] = [];
  for (let i = 0; i < 30; i++) posted.push(await person.post("product_view", { i }));
  const lie = () =>
    queryLake(
      livora.lake,
      `SELECT event_id FROM events WHERE session_id = '${person.session_id}' ORDER BY length(source_sequence), source_sequence, source_index`,
      livora.client_id,
    );
  await waitUntil(async () => (await lie()).length >= posted.length, { what: "the session in the lake" });
  expect((await lie()).map((row) => row["event_id"])).toEqual(posted);
});

it("stops at Ctrl-C, leaving nothing running, and goes on with the same data", async () => {
  const before = (await readOutbox(livora.outbox)).length;
  expect(before).toBeGreaterThan(0);
  await runs.close();
  expect(await livora.stop()).toBe(0);
  expect([livora.pidOf("postgres"), livora.pidOf("ingest"), livora.pidOf("temporal")]).toEqual([null, null, null]);
  await livora.start();
  expect(await readOutbox(livora.outbox)).toHaveLength(before);
  const person = createPerson(livora);
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
