import { randomUUID } from "node:crypto";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { comparePlaces } from "../../../../core/position.ts";
import { IdTable, idOf, type SeenPlace, wordsOf } from "./id-table.ts";
import { decodeSeen, encodeSeen } from "./seen-codec.ts";

const isBefore = (a: SeenPlace, b: SeenPlace) => comparePlaces(a, b) < 0;
const ids = Array.from({ length: 40 }, (_, n) =>
  n % 2 ? randomUUID() : `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
);
const entry = fc.record({
  id: fc.constantFrom(...ids),
  place: fc.record({ sequence: fc.constantFrom("1", "22", "333"), index: fc.nat(5_000) }),
});

const idAt = (n: number) => idOf([0x12345678, 0x00004000, 0x80000000, n]);

test("a table is a map from id to the earliest place, however large it grows", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 300 }), (entries) => {
      const table = new IdTable();
      const model = new Map<string, SeenPlace>();
      for (const { id, place } of entries) {
        table.add(id, place, isBefore);
        const known = model.get(id);
        if (!known || isBefore(place, known)) model.set(id, place);
      }
      expect(table.size).toBe(model.size);
      for (const id of ids) expect(table.find(id)).toEqual(model.get(id));
    }),
  );
});

test("ids that count up, a hundred thousand of them", () => {
  const table = new IdTable();
  for (let n = 0; n < 100_000; n++) table.add(idAt(n), { sequence: "7", index: n }, isBefore);
  expect(table.size).toBe(100_000);
  expect(table.capacity).toBeLessThanOrEqual(262_144);
  expect(table.find(idAt(99_999))).toEqual({ sequence: "7", index: 99_999 });
  expect(table.find(idAt(100_000))).toBeUndefined();
});

test("a UUID survives as four words, its case does not matter", () => {
  const id = randomUUID();
  expect(idOf(wordsOf(id.toUpperCase()))).toBe(id);
});

test("what is written is what is read, in parts that fit into an item", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 100 }), (entries) => {
      expect(encodeSeen(entries).flatMap((part) => decodeSeen(part.data))).toEqual(entries);
    }),
  );
  const many = Array.from({ length: 20_000 }, (_, n) => ({
    id: randomUUID(),
    place: { sequence: `${"4".repeat(50)}${n}`, index: 0 },
  }));
  const parts = encodeSeen(many);
  expect(parts.flatMap((part) => decodeSeen(part.data))).toEqual(many);
  expect(Math.max(...parts.map((part) => part.data.length))).toBeLessThan(400_000);
});
