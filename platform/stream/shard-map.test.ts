import { expect, test } from "vitest";

import { LANES } from "../../core/position.ts";
import { groupLanes } from "./shard-map.ts";

const SPACE = 1n << 128n;
const shard = (id: string, begin: bigint, end: bigint, isOpen = true) => ({
  id,
  parents: [],
  hashKeys: [begin, end - 1n] as const,
  isOpen,
});
const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

test("lanes are grouped by the open shard that they lie in", () => {
  const shards = [shard("parent", 0n, SPACE, false), shard("left", 0n, SPACE / 4n), shard("right", SPACE / 4n, SPACE)];
  expect(groupLanes(shards)).toEqual([
    { shard: "left", lanes: from(0, LANES / 4) },
    { shard: "right", lanes: from(LANES / 4, (LANES * 3) / 4) },
  ]);
});

test("a lane whose shard is not there, in the midst of a split, is by itself", () => {
  expect(groupLanes([shard("right", SPACE / 2n, SPACE)])).toEqual([
    ...from(0, LANES / 2).map((lane) => ({ shard: null, lanes: [lane] })),
    { shard: "right", lanes: from(LANES / 2, LANES / 2) },
  ]);
});
