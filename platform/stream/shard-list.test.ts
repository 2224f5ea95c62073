import { expect, test } from "vitest";

import { isWithin, readableShards, type StreamShard } from "./shard-list.ts";

const shard = (id: string, ...parents: string[]): StreamShard => ({
  id,
  parents,
  hashKeys: [0n, 10n],
  isOpen: true,
});
/** 0 is split into 1 and 2, which are merged into 3. */
const FAMILY = [shard("0"), shard("1", "0"), shard("2", "0"), shard("3", "1", "2")];
const readable = (shards: readonly StreamShard[], ...ended: string[]) =>
  readableShards(shards, (id) => ended.includes(id)).map(({ id }) => id);

test("a shard is read once all of its parents have ended, and until it has ended itself", () => {
  expect(readable(FAMILY)).toEqual(["0"]);
  expect(readable(FAMILY, "0")).toEqual(["1", "2"]);
  expect(readable(FAMILY, "0", "1")).toEqual(["2"]);
  expect(readable(FAMILY, "0", "2")).toEqual(["1"]);
  expect(readable(FAMILY, "0", "1", "2")).toEqual(["3"]);
  expect(readable(FAMILY, "0", "1", "2", "3")).toEqual([]);
});

test("a parent that the stream no longer keeps holds up nobody", () => {
  expect(readable(FAMILY.slice(2))).toEqual(["2"]);
  expect(readable(FAMILY.slice(3))).toEqual(["3"]);
});

test("a shard's hash keys include its first and its last; what is no hash key lies where it lies", () => {
  expect(["0", "10", "11", "lane"].map((key) => isWithin(shard("0"), key))).toEqual([true, true, false, true]);
});
