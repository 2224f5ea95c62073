import * as fc from "fast-check";
import { expect, test } from "vitest";

import { LruMap } from "./lru.ts";

test("never holds more than it may, and what was used last is there", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.boolean(), fc.nat(12))), (capacity, uses) => {
      const map = new LruMap<number, number>(capacity);
      let recent: number[] = [];
      for (const [isSet, key] of uses) {
        const isKnown = recent.includes(key);
        if (isSet) map.set(key, key);
        const found = isSet ? key : map.get(key);
        expect(found).toBe(isSet || isKnown ? key : undefined);
        if (isSet || isKnown) recent = [key, ...recent.filter((other) => other !== key)].slice(0, capacity);
        expect(map.size).toBe(recent.length);
      }
    }),
  );
});
