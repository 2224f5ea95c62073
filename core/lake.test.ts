import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  compactedFileName,
  isFileOf,
  lateFileName,
  parsePartition,
  parseRangeFileName,
  partitionOf,
  rangeFileName,
} from "./lake.ts";
import type { Position } from "./position.ts";

const clientIds = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 256 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), minLength: 1 }),
  fc.constantFrom("..", ".", "../../etc", "a/b", "a\\b", "client=x/dt=1", "%2e%2e", "~", "d'emo", 'a"b', "a\0b"),
);
const times = fc.integer({ min: 0, max: Date.parse("2100-01-01") });
const sequences = fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String);

describe("partitionOf", () => {
  it("names the hour in UTC", () => {
    const partition = partitionOf("demo", Date.parse("2026-11-21T23:59:59.999+05:30"));
    expect(partition.path).toBe("raw/events/client=demo/dt=2026-11-21/hour=18");
    expect(partition.endsAtMs).toBe(Date.parse("2026-11-21T19:00:00Z"));
  });

  it("is one safe folder for any client, and reads back", () => {
    fc.assert(
      fc.property(clientIds, times, (clientId, at) => {
        const partition = partitionOf(clientId, at);
        expect(partition.path).toMatch(/^raw\/events\/client=[A-Za-z0-9._%~-]{1,200}\/dt=\d{4}-\d\d-\d\d\/hour=\d\d$/);
        expect(parsePartition(partition.path)).toEqual(partition);
      }),
    );
  });

  it("keeps clients apart", () => {
    fc.assert(
      fc.property(clientIds, clientIds, times, (a, b, at) => {
        expect(partitionOf(a, at).path === partitionOf(b, at).path).toBe(a === b);
      }),
    );
  });
});

describe("parsePartition", () => {
  it.each([
    "raw/events/client=demo/dt=2026-11-21",
    "raw/events/client=demo/dt=2026-11-21/hour=10/x",
    "raw/events/client=../dt=2026-11-21/hour=99",
    "raw/events/client=a/b/dt=2026-11-21/hour=10",
    "curated/client=demo/dt=2026-11-21/hour=10",
  ])("refuses %s", (path) => {
    expect(parsePartition(path)).toBeUndefined();
  });
});

describe("file names", () => {
  it("tell the range they were made from", () => {
    fc.assert(
      fc.property(clientIds, sequences, sequences, (clientId, first, last) => {
        const range = { shard: "shardId-000000000007", first, last };
        const name = rangeFileName(clientId, range);
        expect(parseRangeFileName(name)).toEqual(range);
        expect(isFileOf(clientId, name)).toBe(true);
        expect(Buffer.byteLength(name)).toBeLessThan(256);
      }),
    );
  });

  it("of compacted files depend on the inputs, not on their order", () => {
    expect(compactedFileName("demo", ["b", "a"])).toBe(compactedFileName("demo", ["a", "b"]));
    expect(compactedFileName("demo", ["a"])).not.toBe(compactedFileName("demo", ["a", "b"]));
    expect(compactedFileName("Demo", ["a"])).not.toBe(compactedFileName("demo", ["a"]));
    expect(parseRangeFileName(compactedFileName("demo", ["a"]))).toBeUndefined();
  });

  it("of rows that came late depend on which events they are, not on their order", () => {
    const [a, b] = [0, 1].map((index) => ({ shard: "s", sequence: "1", index })) as [Position, Position];
    expect(lateFileName("demo", [b, a])).toBe(lateFileName("demo", [a, b]));
    expect(lateFileName("demo", [a])).not.toBe(lateFileName("demo", [b]));
    expect(isFileOf("demo", lateFileName("demo", [a]))).toBe(true);
    expect(isFileOf("Demo", lateFileName("demo", [a]))).toBe(false);
    expect(parseRangeFileName(lateFileName("demo", [a]))).toBeUndefined();
  });
});
