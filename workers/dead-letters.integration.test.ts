import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { personItem } from "../analytics/stream/enrich/keys.ts";
import { OK, type Step } from "../analytics/stream/enrich/step.ts";
import { decodeEnvelope, encodeEnvelope } from "../core/envelope.ts";
import { laneOf } from "../core/position.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { createUserStore } from "../platform/user-store.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { type EnrichSetup, setUpEnrich } from "../test/support/enrich-setup.ts";
import { createLetterWorkers } from "../test/support/letters-process.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const SESSION = "SESSION#s-1";
const closing: (() => Promise<void>)[] = [];
let t: TestApi;
let setup: EnrichSetup;
let events: StreamProducer;
let worker: ReturnType<typeof createLetterWorkers>;
/** While it is on, an event whose props say so fails in a step. */
let isBroken = true;

const FRAGILE: Step = {
  name: "fragile",
  run({ event }) {
    if (isBroken && event.props?.["bad"] === true) throw new RangeError("a value out of range");
    return OK;
  },
};

beforeAll(async () => {
  setup = await setUpEnrich(closing, 1);
  const { LIVORA_TEMPORAL_ADDRESS: address } = setup.ctx.config;
  const config = { ...setup.ctx.config, LIVORA_TEMPORAL_NAMESPACE: await createTemporalNamespace(address) };
  t = await startTestApi(config);
  events = createStreamProducer({ kinesis: setup.ctx.kinesis, stream: setup.ctx.config.LIVORA_STREAM_EVENTS });
  worker = createLetterWorkers(config);
  await setup.enrich({ arrange: (steps) => [FRAGILE, ...steps] });
});
// One worker at a time, whatever became of a test.
afterEach(() => worker.stop());
afterAll(async () => {
  await Promise.all([t.close(), events.close(), worker.close()]);
  for (const close of closing.toReversed()) await close();
});

/** Past the edge, which would have refused it. */
async function put(...some: object[]): Promise<void> {
  const header = { client_id: t.ours.client_id, received_at: "2026-11-21T10:00:00.000Z", request_id: "r-poison" };
  const raw = some.map((event) => Buffer.from(JSON.stringify(event)));
  await events.append(laneOf("s-1"), encodeEnvelope(header, raw), raw.length);
}

function eventOf(anonId: string, more: object = {}) {
  const base = { event_id: randomUUID(), timestamp: "2026-11-21T09:59:00Z", client_id: t.ours.client_id };
  return { ...base, anon_id: anonId, session_id: "s-1", event_type: "page_view", props: {}, ...more };
}

const steps = async (anonId: string) => {
  const [found] = await createUserStore(setup.ctx).read([personItem(t.ours.client_id, `anon:${anonId}`, SESSION)]);
  return (found?.data as { steps: number } | undefined)?.steps ?? 0;
};
const letters = (query: string) => t.call("GET", `/api/v1/dead-letters?${query}`).then(({ body }) => body.dead_letters);
const countOpen = async (stage: string) => (await letters(`stage=${stage}&limit=200`)).length;

async function replay(body: object) {
  const started = await t.call("POST", "/api/v1/dead-letter-replays", { body });
  expect(started).toMatchObject({ status: 202, body: { state: "running" } });
  return finished(started.body.id);
}

async function finished(id: string) {
  const path = `/api/v1/dead-letter-replays/${id}`;
  await waitUntil(async () => (await t.call("GET", path)).body.state === "done", { timeoutMs: 120_000 });
  return (await t.call("GET", path)).body;
}

describe("dead letters go back", { timeout: 240_000 }, () => {
  test("a poison event lands, is patched, previewed, replayed, and arrives once", async () => {
    await worker.start();
    const poison = { ...eventOf("poison", { timestamp: 1_763_719_200 }), amount: 10 };
    await put(poison, eventOf("poison"));
    await waitUntil(async () => (await countOpen("decode")) === 1);
    const [letter] = await letters("stage=decode");
    expect(letter).toMatchObject({ kind: "poison", reason: "not an event", event_type: "page_view", state: "open" });
    const { body: whole } = await t.call("GET", `/api/v1/dead-letters/${letter.id}`);
    expect(Buffer.from(whole.bytes, "base64").toString()).toBe(JSON.stringify(poison));
    expect(whole).toMatchObject({ provenance: { request_id: "r-poison" }, replayed_as: null });

    const selection = { filter: { stage: "decode", reason: "not an event" } };
    const asIs = await t.call("POST", "/api/v1/dead-letter-previews", { body: { selection } });
    expect(asIs.body.letters).toMatchObject([{ is_valid: false, faults: [{ path: "/timestamp" }] }]);
    const patch = [{ op: "coerce", path: "/timestamp", to: "timestamp", when: { path: "/timestamp", is: "number" } }];
    const { body: preview } = await t.call("POST", "/api/v1/dead-letter-previews", { body: { selection, patch } });
    expect(preview).toMatchObject({
      matching: 1,
      letters: [{ id: letter.id, changed: ["/timestamp"], is_valid: true, before: poison }],
    });
    expect(preview.letters[0].after.timestamp).toBe("2025-11-21T10:00:00.000Z");

    const id = randomUUID();
    const ended = await replay({ id, selection, patch, note: "seconds, not ISO" });
    expect(ended).toMatchObject({ id, counts: { taken: 1, duplicate: 0, failed_again: 0, refused: 0 } });
    // Asked for once more under its own id, it is the same one.
    await t.call("POST", "/api/v1/dead-letter-replays", { body: { id, selection, patch } });
    expect(await steps("poison")).toBe(2);
    const { body: after } = await t.call("GET", `/api/v1/dead-letters/${letter.id}`);
    expect(after).toMatchObject({ state: "replayed", outcome: "taken", replay_id: id });
    expect(after.history).toMatchObject([
      { reason: "not an event" },
      {
        reason: expect.stringMatching(/^put back patched/),
        changed: ["/timestamp"],
        actor: expect.stringMatching(/^key:/),
      },
      { reason: "taken", replay_id: id },
    ]);
    const records = await readStream(setup.ctx.kinesis, setup.ctx.config.LIVORA_STREAM_EVENTS);
    const headers = records.flatMap(({ parts }) => parts.map(({ data }) => decodeEnvelope(data).header));
    const back = headers.filter(({ replay, client_id }) => replay && client_id === t.ours.client_id);
    expect(back).toMatchObject([{ request_id: "r-poison", received_at: "2026-11-21T10:00:00.000Z" }]);
  });

  test("what fails again is back, linked to the first; mended, it comes through", async () => {
    await worker.start();
    await put(eventOf("fragile", { props: { bad: true } }));
    await waitUntil(async () => (await countOpen("fragile")) === 1);
    const [first] = await letters("stage=fragile");
    expect(await replay({ selection: { ids: [first.id] } })).toMatchObject({ counts: { failed_again: 1, taken: 0 } });
    const [second] = await letters("stage=fragile");
    expect(second).toMatchObject({ replay_of: first.id, state: "open", reason: "RangeError: a value out of range" });
    const { body: was } = await t.call("GET", `/api/v1/dead-letters/${first.id}`);
    expect(was).toMatchObject({ state: "replayed", outcome: "failed_again", replayed_as: second.id });
    expect(await steps("fragile")).toBe(0);

    isBroken = false;
    expect(await replay({ selection: { filter: { stage: "fragile" } } })).toMatchObject({ counts: { taken: 1 } });
    isBroken = true;
    expect(await steps("fragile")).toBe(1);
  });

  test("a patch that makes no event of a letter leaves it open, with the reason", async () => {
    await worker.start();
    await put({ ...eventOf("hopeless"), timestamp: "yesterday" });
    await waitUntil(async () => (await countOpen("decode")) === 1);
    const patch = [{ op: "set", path: "/props/seen", value: true }];
    expect(await replay({ selection: { filter: { stage: "decode" } }, patch })).toMatchObject({
      counts: { refused: 1 },
    });
    const [letter] = await letters("stage=decode");
    expect(letter.history.at(-1).reason).toMatch(/^not replayed: \/timestamp/);
    const body = { selection: { ids: [letter.id] }, reason: "a tester's" };
    expect((await t.call("POST", "/api/v1/dead-letter-discards", { body })).body).toEqual({
      discarded: 1,
      remaining: 0,
    });
    expect(await letters("stage=decode&state=discarded")).toHaveLength(1);
  });

  test("a worker that is killed between putting letters back and writing it down doubles nothing", async () => {
    const all = Array.from({ length: 150 }, () => eventOf("killed", { props: { bad: true } }));
    await put(...all.slice(0, 75));
    await put(...all.slice(75));
    await waitUntil(async () => (await countOpen("fragile")) === 150);
    isBroken = false;
    const body = { selection: { filter: { stage: "fragile" } }, rate_per_second: 60 };
    const { body: started } = await t.call("POST", "/api/v1/dead-letter-replays", { body });
    await worker.start("deaf", 70);
    await worker.stop();
    await worker.start();
    const { counts } = await finished(started.id);
    isBroken = true;
    expect(counts["taken"] + counts["duplicate"]).toBe(150);
    // The stream had taken some of them before the worker died: without that this would show nothing.
    expect(counts["duplicate"]).toBeGreaterThan(0);
    expect(await steps("killed")).toBe(150);
    const ids = (await setup.enriched()).map((event) => event.event_id);
    for (const { event_id } of all) expect(ids.filter((id) => id === event_id)).toHaveLength(1);
    const rows = await setup.ctx.db.query.deadLetters.findMany({ where: eq(deadLetters.replay_id, started.id) });
    expect(rows.every((row) => row.state === "replayed")).toBe(true);
  });
});
