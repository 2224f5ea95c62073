import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { decodeEnriched, type Enrichment } from "../../../core/enriched-event.ts";
import { encodeEnvelope } from "../../../core/envelope.ts";
import type { Event } from "../../../core/event.ts";
import type { DeadLetter, DroppedEvent } from "../../../platform/dead-letters.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { createMemoryUserStore } from "../../../test/support/memory-user-store.ts";
import { createEnricher, type EnricherDeps } from "./enricher.ts";
import { SILENT } from "./metrics.ts";
import type { Step } from "./step.ts";

let number = 0;

function entryOf(
  event: Partial<Event>,
  more: { seen_under?: string; backfill_id?: string } = {},
): StreamEntry & { event: Event } {
  number += 1;
  const whole = {
    event_id: randomUUID(),
    timestamp: "2026-11-21T10:00:00.000Z",
    client_id: "demo",
    session_id: "s-1",
    event_type: "page_view",
    ...event,
  } as Event;
  const request_id = `r-${number}`;
  const header = { client_id: whole.client_id, received_at: "2026-11-21T11:00:00.000Z", request_id, ...more };
  const data = encodeEnvelope(header, [Buffer.from(JSON.stringify(whole))]);
  return { sequence: String(10_000 + number), index: 0, data, arrivedAtMs: 0, event: whole };
}

/** An enrichment on stores in memory, what it passes on and what it puts aside; each `run` is a process of its own. */
function setUp(more: Partial<EnricherDeps> = {}) {
  const { store } = createMemoryUserStore();
  const passed: string[] = [];
  const letters: DeadLetter[] = [];
  const drops: DroppedEvent[] = [];
  const deps: EnricherDeps = {
    store,
    producer: {
      async append(_lane, data) {
        const { client_id, event_id } = decodeEnriched(Buffer.from(data));
        passed.push(`${client_id} ${event_id}`);
        return { shard: "", sequence: "", index: 0 };
      },
    },
    metrics: SILENT,
    log: { warn() {} },
    findGeo: () => null,
    async putAside(someLetters, someDrops) {
      letters.push(...someLetters);
      drops.push(...someDrops);
    },
    ...more,
  };
  const enricher = (changes: Partial<EnricherDeps> = {}) => createEnricher({ ...deps, ...changes });
  const run = (entries: StreamEntry[], changes?: Partial<EnricherDeps>) =>
    enricher(changes).enrich({ shard: "shard-0", entries, isAlone: true });
  return { enricher, run, passed, letters, drops };
}

const nameOf = ({ event }: { event: Event }) => `${event.client_id} ${event.event_id}`;

test("history out of a file is marked as such for everyone who comes after, also as a dead letter", async () => {
  const enriched: Enrichment[] = [];
  const producer = {
    async append(_lane: number, data: Uint8Array) {
      const { event: _, raw: __, ...enrichment } = decodeEnriched(Buffer.from(data));
      enriched.push(enrichment);
      return { shard: "", sequence: "", index: 0 };
    },
  };
  const { run, letters } = setUp({ producer });
  const history = { timestamp: "2025-11-21T10:00:00.000Z" };
  const entries = [entryOf(history, { backfill_id: "b-1" }), entryOf({})];
  await run(entries);
  expect(enriched.map(({ backfill_id }) => backfill_id)).toEqual(["b-1", undefined]);
  // A year late, it is where the session began.
  expect(enriched[0]).toMatchObject({ timestamp: history.timestamp, session: { started_at: history.timestamp } });
  expect(enriched[1]).toMatchObject({ session: { started_at: history.timestamp } });

  const broken: Step = { name: "broken", run: () => ({ outcome: "dead_letter", reason: "always" }) };
  const mark = { backfill_id: "b-1", seen_under: "1980-01-01T00:00:00.000Z" };
  await run([entryOf(history, mark)], { arrange: (steps) => [broken, ...steps] });
  expect(letters).toMatchObject([{ stage: "broken", provenance: mark }]);
});

test("what was remembered before a crash, and not yet passed on, is passed on when the batch comes again", async () => {
  const { run, passed, drops } = setUp();
  const entries = [entryOf({}), entryOf({}), entryOf({})];
  const away = { append: () => Promise.reject(new Error("the stream is away")) };
  await expect(run(entries, { producer: away })).rejects.toThrow("away");
  await run(entries);
  expect(passed).toEqual(entries.map(nameOf));
  expect(drops).toEqual([]);
});

test("the same id elsewhere in the stream is a duplicate, and says so", async () => {
  const { run, passed, drops } = setUp();
  const first = entryOf({});
  const again = entryOf({ event_id: first.event.event_id });
  await run([first]);
  await run([again, entryOf({})]);
  expect(passed.filter((name) => name === nameOf(first))).toHaveLength(1);
  expect(drops).toMatchObject([
    { eventId: first.event.event_id, stage: "dedupe", source: { sequence: again.sequence } },
  ]);
});

test("what may be told again at another time is known by the time that both name", async () => {
  const { run, passed, drops } = setUp();
  const under = { seen_under: "2026-11-20T10:00:30.000Z" };
  const first = entryOf({ timestamp: "2026-11-21T10:00:00.000Z" }, under);
  const again = entryOf({ event_id: first.event.event_id, timestamp: "2026-11-21T10:45:00.000Z" }, under);
  await run([first]);
  await run([again]);
  expect(passed).toEqual([nameOf(first)]);
  expect(drops).toMatchObject([{ eventId: first.event.event_id, reason: "duplicate" }]);
});

test("the same id of two clients is two events, also of the same minute", async () => {
  const { passed, drops, enricher } = setUp();
  const event_id = randomUUID();
  const entries = ["demo", "other", "third"].map((client_id) => entryOf({ client_id, event_id }));
  const one = enricher();
  // A process that has the first client's minute in memory.
  for (const entry of entries) await one.enrich({ shard: "shard-0", entries: [entry], isAlone: true });
  expect(passed).toEqual(entries.map(nameOf));
  expect(drops).toEqual([]);
});

test("an event that a step cannot make sense of is put aside whole, the others go on", async () => {
  const [good, bad, last] = [entryOf({}), entryOf({ event_type: "poison" }), entryOf({})];
  const { run, passed, letters } = setUp({
    arrange: (steps) => [
      ...steps,
      {
        name: "picky",
        run({ event }) {
          if (event.event_type === "poison") throw new RangeError("does not fit");
          return { outcome: "ok" };
        },
      },
    ],
  });
  await run([good, bad, last]);
  expect(passed).toEqual([good, last].map(nameOf));
  expect(letters).toMatchObject([
    {
      clientId: "demo",
      eventId: bad.event.event_id,
      stage: "picky",
      reason: "RangeError: does not fit",
      source: { shard: "shard-0", sequence: bad.sequence, index: 0 },
    },
  ]);
  expect(String(letters[0]?.payload)).toBe(JSON.stringify(bad.event));
});

test("bytes that are no event are put aside as they are", async () => {
  const { run, passed, letters } = setUp();
  const garbled = { ...entryOf({}), data: Buffer.from([0xff, 0x00, 0x7b]) };
  const good = entryOf({});
  await run([garbled, good]);
  expect(passed).toEqual([nameOf(good)]);
  expect(letters.map(({ stage, payload }) => [stage, payload])).toEqual([["decode", garbled.data]]);
});
