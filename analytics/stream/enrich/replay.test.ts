import { randomUUID } from "node:crypto";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decodeEnriched } from "../../../core/enriched-event.ts";
import { encodeEnvelope } from "../../../core/envelope.ts";
import { type Event, partitionKeyOf } from "../../../core/event.ts";
import { advanceFence, type Fences, isAfterFence } from "../../../core/fence.ts";
import { laneOf } from "../../../core/position.ts";
import type { DeadLetter, DroppedEvent } from "../../../platform/dead-letters.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { fixedSchemas, schemaOf } from "../../../test/support/fixed-schemas.ts";
import { createMemoryUserStore } from "../../../test/support/memory-user-store.ts";
import { createEnricher } from "./enricher.ts";
import { SILENT } from "./metrics.ts";

const CLIENT = "demo";
const RECEIVED = "2026-11-21T11:00:00.000Z";

const eventArbitrary = fc.record({
  who: fc.nat(2),
  device: fc.nat(2),
  logsIn: fc.boolean(),
  session: fc.nat(3),
  event_type: fc.constantFrom("page_view", "add_to_cart", "remove_from_cart", "purchase", "identify"),
  seconds: fc.nat(3_000),
  /** The id of another event, now and then. */
  repeats: fc.option(fc.nat(30), { freq: 8 }),
});
type Drawn = ReturnType<typeof eventArbitrary.generate>["value"];

function toEntries(drawn: readonly Drawn[]): StreamEntry[] {
  const ids = drawn.map(() => randomUUID());
  return drawn.map((draw, n) => {
    const repeated = draw.repeats === null ? n : draw.repeats % drawn.length;
    const event: Event = {
      event_id: ids[repeated] ?? "",
      // A repetition has the time of the first.
      timestamp: new Date(Date.parse("2026-11-21T10:00:00Z") + (drawn[repeated]?.seconds ?? 0) * 1000).toISOString(),
      client_id: CLIENT,
      anon_id: `a-${draw.device}`,
      user_id: draw.logsIn ? `u-${draw.who}` : null,
      session_id: `s-${draw.session}`,
      event_type: draw.event_type,
      props: { product_id: `p-${n % 3}`, price: 2, plan: `plan-${n}`, email: `u${draw.who}@example.com` },
    };
    const header = { client_id: CLIENT, received_at: RECEIVED, request_id: `r-${n}` };
    const data = encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]);
    return { sequence: String(10_000 + (n >> 1)), index: n & 1, data, arrivedAtMs: 0 };
  });
}

/** u-0 uses a device twice; a log-in of u-1 from in between comes after that. */
const LATE_LOG_IN: Drawn[] = [
  { who: 0, session: 0, seconds: 1 },
  { who: 0, session: 0, seconds: 5 },
  { who: 1, session: 1, seconds: 3 },
].map((draw) => ({ ...draw, device: 1, logsIn: true, event_type: "page_view", repeats: null }));

/** `plan` grows longer with the tenth event: some are counted, some are put aside, too. */
const BRIEF = { type: "object", properties: { plan: { type: "string", maxLength: 6 } } } as const;
const SCHEMAS = fixedSchemas({ page_view: schemaOf(BRIEF, "observe"), purchase: schemaOf(BRIEF, "enforce") });

/** What consumers of "enriched" take: of each lane what is after the last. */
function takenOf(emitted: readonly Buffer[]): string[] {
  let fences: Fences = {};
  const taken: string[] = [];
  for (const event of emitted.map(decodeEnriched)) {
    if (!isAfterFence(fences, event.lane, event.source)) continue;
    fences = advanceFence(fences, event.lane, event.source);
    taken.push(`${event.lane} ${event.source.sequence}:${event.source.index} ${event.event_id}`);
  }
  return taken.toSorted();
}

/** Runs of entries, each by a process of its own where `restarts`: nothing in memory survives. */
async function enrichAll(runs: readonly (readonly StreamEntry[])[], restarts: boolean) {
  const { store, items } = createMemoryUserStore();
  const emitted: Buffer[] = [];
  const producer = {
    append: async (_lane: number, data: Uint8Array) => {
      emitted.push(Buffer.from(data));
      return { shard: "", sequence: "", index: 0 };
    },
  };
  const aside = new Set<string>();
  const putAside = async (letters: readonly DeadLetter[], drops: readonly DroppedEvent[]) => {
    for (const { source } of [...letters, ...drops]) aside.add(`${source.sequence}:${source.index}`);
  };
  const common = { metrics: SILENT, log: { warn() {} }, findGeo: () => null, schemas: SCHEMAS };
  const deps = { store, producer, putAside, ...common };
  let enricher = createEnricher(deps);
  for (const entries of runs) {
    if (restarts) enricher = createEnricher(deps);
    await enricher.enrich({ shard: "shard", entries: [...entries], isAlone: true });
  }
  return { items: items(), taken: takenOf(emitted), aside: [...aside].toSorted() };
}

test("any batch tried again, cut in any way, by any process, leaves the same items and the same events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(eventArbitrary, { minLength: 1, maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 6 }),
      fc.boolean(),
      async (drawn, cuts, restarts) => {
        const entries = toEntries(drawn);
        const once = await enrichAll([entries], false);
        // Each cut is a run from the checkpoint up to somewhere; the checkpoint then lies somewhere within.
        const runs: StreamEntry[][] = [];
        let checkpoint = 0;
        for (const [length, kept] of cuts) {
          runs.push(entries.slice(checkpoint, checkpoint + length));
          checkpoint = Math.min(checkpoint + Math.min(kept, length), entries.length);
        }
        const pieces = await enrichAll([...runs, entries.slice(checkpoint), entries.slice(checkpoint)], restarts);
        expect(pieces.items).toEqual(once.items);
        expect(pieces.taken).toEqual(once.taken);
        expect(pieces.aside).toEqual(once.aside);
        expect(once.taken.length + once.aside.length).toBe(entries.length);
        expect(new Set(once.taken.map((event) => event.split(" ")[2])).size).toBe(once.taken.length);
      },
    ),
    { numRuns: 300, examples: [[LATE_LOG_IN, [], true]] },
  );
});

test("the lanes of these events differ, or the property would prove little", () => {
  const lanes = [0, 1, 2, 3].map((n) => laneOf(partitionKeyOf({ session_id: `s-${n}`, event_id: "" })));
  expect(new Set(lanes).size).toBeGreaterThan(1);
});
