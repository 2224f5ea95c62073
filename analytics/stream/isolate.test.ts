import * as fc from "fast-check";
import { expect, test } from "vitest";

import { AppError } from "../../core/errors.ts";
import { isolatePoison } from "./isolate.ts";

/** A store that refuses every batch with one of the poisonous events in it, and keeps the rest in order. */
function createStore(poison: ReadonlySet<number>, error: () => Error) {
  const kept: number[] = [];
  const aside: number[] = [];
  return {
    kept,
    aside,
    async handle(events: readonly number[]) {
      if (events.some((event) => poison.has(event))) throw error();
      kept.push(...events);
    },
    async setAside(event: number) {
      aside.push(event);
    },
  };
}

const dataException = () => Object.assign(new Error("invalid byte sequence"), { code: "22021" });

test("whoever is poisonous is set aside, everyone else is handled once and in order", async () => {
  const batches = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(batches, fc.func(fc.boolean()), async (events, isBad) => {
      const bad = events.filter((event) => isBad(event));
      const store = createStore(new Set(bad), dataException);
      await isolatePoison(events, store.handle, store.setAside);
      expect(store.aside).toEqual(bad);
      expect(store.kept).toEqual(events.filter((event) => !bad.includes(event)));
    }),
  );
});

test.each([
  ["a store that is away", () => new AppError("unavailable", "away")],
  ["a connection that was lost", () => Object.assign(new Error("read"), { code: "ECONNRESET" })],
  ["a server that is shutting down", () => Object.assign(new Error("terminating"), { code: "57P01" })],
  ["a serialization failure", () => Object.assign(new Error("could not serialize"), { code: "40001" })],
])("%s is thrown: nobody is set aside", async (_, error) => {
  const store = createStore(new Set([2]), error);
  await expect(isolatePoison([1, 2, 3], store.handle, store.setAside)).rejects.toThrow(error().message);
  expect(store.aside).toEqual([]);
});

test("the cause of a wrapped error decides", async () => {
  const store = createStore(new Set([2]), () => new Error("query failed", { cause: dataException() }));
  await isolatePoison([1, 2, 3], store.handle, store.setAside);
  expect([store.kept, store.aside]).toEqual([[1, 3], [2]]);
});
