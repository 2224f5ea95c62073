import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { compileSchema } from "../../../core/event-schema/compile.ts";
import type { RegisteredSchema } from "../../../core/event-schema/registered-schema.ts";
import { decodeEnriched } from "../../../core/enriched-event.ts";
import { encodeEnvelope } from "../../../core/envelope.ts";
import type { DeadLetter } from "../../../platform/dead-letters.ts";
import { readViolations } from "../../../platform/schema-violations.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { fixedSchemas, schemaOf } from "../../../test/support/fixed-schemas.ts";
import { createMemoryUserStore } from "../../../test/support/memory-user-store.ts";
import { createEnricher, type EnricherDeps } from "./enricher.ts";
import { SILENT } from "./metrics.ts";

const RECEIVED = "2026-11-21T11:30:00.000Z";
const WITH_PRICE = { type: "object", properties: { price: { type: "number" } }, required: ["price"] } as const;
const AT_ALL_TIMES = { fromMs: Date.parse("2026-11-21T00:00:00Z"), toMs: Date.parse("2026-11-22T00:00:00Z") };

let number = 0;
function entryOf(
  props: object,
  more: { session_id?: string; replay?: { letter_id: string; replay_id: string } } = {},
): StreamEntry {
  const { replay, session_id = "s-1" } = more;
  const event = {
    event_id: randomUUID(),
    timestamp: "2026-11-21T10:00:00.000Z",
    client_id: "demo",
    session_id,
    event_type: "view",
    props,
  };
  const header = { client_id: "demo", received_at: RECEIVED, request_id: "r", ...(replay && { replay }) };
  const data = encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]);
  return { sequence: String(10_000 + ++number), index: 0, data, arrivedAtMs: 0 };
}

function setUp(more: Partial<EnricherDeps> = {}) {
  const { store } = createMemoryUserStore();
  const passed: unknown[] = [];
  const letters: DeadLetter[] = [];
  const producer = {
    async append(_lane: number, data: Uint8Array) {
      passed.push(decodeEnriched(Buffer.from(data)).event.props);
      return { shard: "", sequence: "", index: 0 };
    },
  };
  const putAside = async (some: readonly DeadLetter[]) => void letters.push(...some);
  const deps = { store, producer, putAside, metrics: SILENT, log: { warn() {} }, findGeo: () => null, ...more };
  /** By a process of its own. */
  const run = (schema: RegisteredSchema, entries: StreamEntry[], changes: Partial<EnricherDeps> = {}) =>
    createEnricher({ ...deps, schemas: fixedSchemas({ view: schema }), ...changes }).enrich({
      shard: "shard-0",
      entries,
      isAlone: true,
    });
  const counted = () => readViolations(store, { clientId: "demo", eventType: "view" }, AT_ALL_TIMES);
  return { run, passed, letters, counted };
}

const failing = () => Promise.reject(new Error("away"));

test("observed: what does not fit is taken, and counted", async () => {
  const { run, passed, letters, counted } = setUp();
  await run(schemaOf(WITH_PRICE, "observe"), [entryOf({ price: 1 }), entryOf({ price: "1" }), entryOf({})]);
  expect(passed).toEqual([{ price: 1 }, { price: "1" }, {}]);
  expect(letters).toEqual([]);
  const seen = {
    first_seen: RECEIVED,
    last_seen: RECEIVED,
    sample_event_id: expect.any(String),
    version: 1,
    mode: "observe",
    count: 1,
  };
  expect(await counted()).toEqual([
    {
      hour: "2026-11-21T11:00Z",
      found: {
        events: 2,
        misfits: [
          { path: "/props/price", reason: "is string, not number", ...seen },
          { path: "/props/price", reason: "is missing", ...seen },
        ],
      },
    },
  ]);
});

test("enforced: what does not fit is a dead letter with its reason and counted all the same; the others go on", async () => {
  const { run, passed, letters, counted } = setUp();
  await run(schemaOf(WITH_PRICE, "enforce", 7), [
    entryOf({ price: 1 }),
    entryOf({ price: "1" }),
    entryOf({ price: 2 }),
  ]);
  expect(passed).toEqual([{ price: 1 }, { price: 2 }]);
  expect(letters).toMatchObject([
    {
      stage: "schema",
      reason: "does not fit version 7: /props/price is string, not number",
      attempts: 1,
      clientId: "demo",
    },
  ]);
  expect(await counted()).toMatchObject([
    { found: { events: 1, misfits: [{ version: 7, mode: "enforce", count: 1 }] } },
  ]);
});

test("a batch that comes again counts nothing twice, wherever it failed", async () => {
  const { run, letters, counted } = setUp();
  const entries = [entryOf({}), entryOf({ price: 1 }, { session_id: "s-2" }), entryOf({}, { session_id: "s-3" })];
  await expect(run(schemaOf(WITH_PRICE, "enforce"), entries, { putAside: failing })).rejects.toThrow("away");
  await expect(
    run(schemaOf(WITH_PRICE, "enforce"), entries.slice(0, 2), { producer: { append: failing } }),
  ).rejects.toThrow("away");
  await run(schemaOf(WITH_PRICE, "enforce"), entries);
  await run(schemaOf(WITH_PRICE, "enforce"), entries.slice(1));
  expect(await counted()).toMatchObject([{ found: { events: 2, misfits: [{ count: 2 }] } }]);
  expect(new Set(letters.map(({ source }) => source.sequence)).size).toBe(2);
});

test("what came through before the schema was changed comes through when its batch is tried again", async () => {
  const { run, passed, letters } = setUp();
  const entries = [entryOf({}), entryOf({ price: 1 })];
  await expect(
    run(schemaOf({ type: "object" }, "enforce"), entries, { producer: { append: failing } }),
  ).rejects.toThrow("away");
  // A letter now could never be replayed: its id has been seen.
  await run(schemaOf(WITH_PRICE, "enforce", 2), entries);
  expect(passed).toEqual([{}, { price: 1 }]);
  expect(letters).toEqual([]);
});

test("a dead letter that is replayed is held to the latest version, read after it came", async () => {
  const refreshed: boolean[] = [];
  const [old, mended] = [WITH_PRICE, { type: "object" } as const].map((schema) => compileSchema(schema, ["props"]));
  const soon = Date.parse(RECEIVED) + 60_000;
  const versions = [
    { version: 1, inForceFromMs: 0, check: old! },
    { version: 2, inForceFromMs: soon, check: mended! },
  ];
  const schema: RegisteredSchema = { versions, mode: "enforce", modeFromMs: 0, modeBefore: "enforce" };
  const schemas = { refresh: async (isNow: boolean) => void refreshed.push(isNow), find: () => schema };
  const { run, passed, letters } = setUp({ schemas });
  const again = entryOf({}, { replay: { letter_id: randomUUID(), replay_id: randomUUID() } });
  await run(schema, [entryOf({})], { schemas });
  await run(schema, [again], { schemas });
  expect(letters).toHaveLength(1);
  expect(passed).toEqual([{}]);
  expect(refreshed).toEqual([false, true]);
});

test("no props are none: what is required is missing", async () => {
  const { run, letters } = setUp();
  await run(schemaOf(WITH_PRICE, "enforce"), [entryOf(null as unknown as object)]);
  expect(letters).toMatchObject([{ reason: "does not fit version 1: /props/price is missing" }]);
});
