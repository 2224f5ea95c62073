import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createGatherer } from "./gatherer.ts";
import { createPace } from "./pace.ts";
import type { Reading, StreamRecord } from "./shard-reader.ts";

const record = (n: number, bytes = 10): StreamRecord => ({
  sequence: String(1000 + n),
  bytes,
  arrivedAtMs: n,
  entries: [],
  lanes: new Map(),
});
const reading = (records: StreamRecord[], rest: Partial<Reading> = {}): Reading => ({
  records,
  tipTimeMs: null,
  msBehind: 0,
  ended: false,
  ...rest,
});
const numbersOf = (batch: readonly StreamRecord[] | null) => batch?.map((one) => Number(one.sequence) - 1000);

test("every record comes once, in order, in batches of the size asked for", () => {
  const readings = fc.array(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }), { maxLength: 12 });
  fc.assert(
    fc.property(readings, fc.integer({ min: 1, max: 100 }), (sizes, maxBytes) => {
      const gatherer = createGatherer({ lingerMs: 0, pending: null });
      const got: number[] = [];
      let next = 0;
      for (const bytes of sizes) {
        gatherer.add(reading(bytes.map((size) => record(next++, size))), 0);
        for (let batch = gatherer.take(0, maxBytes); batch; batch = gatherer.take(0, maxBytes)) {
          const withoutLast = batch.slice(0, -1).reduce((sum, one) => sum + one.bytes, 0);
          expect(withoutLast).toBeLessThan(maxBytes);
          got.push(...(numbersOf(batch) ?? []));
        }
      }
      expect(got).toEqual(Array.from({ length: next }, (_, n) => n));
      expect([gatherer.isEmpty, gatherer.bytes]).toEqual([true, 0]);
    }),
  );
});

test("waits for company until there is enough, or it has waited long enough, or the shard has ended", () => {
  const gatherer = createGatherer({ lingerMs: 100, pending: null });
  gatherer.add(reading([record(0)]), 1_000);
  expect(gatherer.take(1_050, 25)).toBeNull();
  gatherer.add(reading([record(1)]), 1_060);
  expect(numbersOf(gatherer.take(1_100, 25))).toEqual([0, 1]);
  gatherer.add(reading([record(2), record(3), record(4)]), 2_000);
  expect(numbersOf(gatherer.take(2_000, 25))).toEqual([2, 3, 4]);
  gatherer.add(reading([record(5)], { ended: true }), 3_000);
  expect(numbersOf(gatherer.take(3_000, 25))).toEqual([5]);
});

test("a range that was begun comes whole and alone, whatever size and time say", () => {
  const gatherer = createGatherer({ lingerMs: 0, pending: { first: "1000", last: "1003" } });
  gatherer.add(reading([record(0), record(1)]), 0);
  expect(gatherer.take(1_000_000, 1)).toBeNull();
  gatherer.add(reading([record(2), record(3), record(4)]), 0);
  expect(numbersOf(gatherer.take(0, 1))).toEqual([0, 1, 2, 3]);
  expect(numbersOf(gatherer.take(0, 1))).toEqual([4]);
});

test("of a range whose end, or all, the stream no longer keeps, what is left comes", () => {
  const cut = createGatherer({ lingerMs: 0, pending: { first: "1000", last: "1003" } });
  cut.add(reading([record(1), record(7)]), 0);
  expect(numbersOf(cut.take(0, 100))).toEqual([1]);
  expect(numbersOf(cut.take(0, 100))).toEqual([7]);
  const gone = createGatherer({ lingerMs: 0, pending: { first: "1000", last: "1003" } });
  gone.add(reading([record(7), record(8)]), 0);
  expect(numbersOf(gone.take(0, 100))).toEqual([7, 8]);
});

test("a tip is told once everything that came before it is handled", () => {
  const gatherer = createGatherer({ lingerMs: 0, pending: null });
  gatherer.add(reading([record(0), record(1)], { tipTimeMs: 50 }), 0);
  expect(gatherer.markHandled()).toBeNull();
  gatherer.take(0, 10);
  expect(gatherer.markHandled()).toBeNull();
  gatherer.take(0, 10);
  expect(gatherer.markHandled()).toBe(50);
  gatherer.add(reading([], { tipTimeMs: 60 }), 0);
  gatherer.add(reading([], { tipTimeMs: 70 }), 0);
  expect(gatherer.markHandled()).toBe(70);
  expect(gatherer.markHandled()).toBeNull();
});

test("batches shrink with a slow store and grow with a quick one, within bounds", () => {
  const pace = createPace({ maxBatchBytes: 4_000_000, targetBatchMs: 1_000 });
  const learn = (tookMsPerMb: number) => {
    const bytes = pace.maxBytes();
    pace.learn([record(0, bytes)], (bytes / 1e6) * tookMsPerMb);
  };
  for (let i = 0; i < 20; i++) learn(100);
  expect(pace.maxBytes()).toBe(4_000_000);
  for (let i = 0; i < 20; i++) learn(2_000);
  expect(pace.maxBytes()).toBeCloseTo(500_000, -4);
  for (let i = 0; i < 20; i++) learn(1e9);
  expect(pace.maxBytes()).toBe(64 * 1024);
  // A small batch that was quick says nothing.
  pace.learn([record(0, 10)], 1);
  expect(pace.maxBytes()).toBe(64 * 1024);
});
