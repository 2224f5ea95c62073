import * as fc from "fast-check";
import { expect, test } from "vitest";

import { advanceFence, type Fences, isAfterFence, mergeFences } from "./fence.ts";

const place = (n: number) => ({ sequence: String(10 ** 6 + (n >> 3)), index: n & 7 });

test("a place passes once, in however many pieces and however often it comes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { maxLength: 60 }), (places) => {
      const inOrder = places.toSorted(([, a], [, b]) => a - b);
      let fences: Fences = {};
      const passed: string[] = [];
      for (const [lane, n] of [...inOrder, ...inOrder]) {
        if (!isAfterFence(fences, lane, place(n))) continue;
        fences = advanceFence(fences, lane, place(n));
        passed.push(`${lane} ${n}`);
      }
      expect(passed.toSorted()).toEqual([...new Set(inOrder.map(([lane, n]) => `${lane} ${n}`))].toSorted());
    }),
  );
});

test("merged fences keep the later of each lane, in any order", () => {
  const a = advanceFence(advanceFence({}, 0, place(1)), 1, place(900));
  const b = advanceFence(advanceFence({}, 0, place(50)), 2, place(3));
  expect(mergeFences([a, b])).toEqual(mergeFences([b, a]));
  const merged = mergeFences([a, b]);
  expect([isAfterFence(merged, 0, place(50)), isAfterFence(merged, 0, place(51))]).toEqual([false, true]);
  expect([isAfterFence(merged, 1, place(900)), isAfterFence(merged, 2, place(3))]).toEqual([false, false]);
});

test("longer sequence numbers are later", () => {
  const fences = advanceFence({}, 0, { sequence: "999", index: 5 });
  expect(isAfterFence(fences, 0, { sequence: "1000", index: 0 })).toBe(true);
  expect(isAfterFence(fences, 0, { sequence: "998", index: 9 })).toBe(false);
});
