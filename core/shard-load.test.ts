import { expect, test } from "vitest";

import { LANES } from "./position.ts";
import { loadsOf, type ShardProgress, type StreamSight } from "./shard-load.ts";

const progress = (at_ms: number, handled_up_to_ms: number, bytes: number, lane = 0): ShardProgress => ({
  at_ms,
  handled_up_to_ms,
  records: bytes / 100,
  bytes,
  lanes: Array.from({ length: LANES }, (_, i) => (i === lane ? bytes * 2 : 0)),
});
const sight = (at_ms: number, consumers: Record<string, ShardProgress>): StreamSight => ({
  at_ms,
  status: "ACTIVE",
  shards: [{ id: "s", first_lane: 0, last_lane: 3, consumers }],
  behind_change: [],
});

test("one look makes no load; two make one, as the consumer that has read most saw it", () => {
  const first = sight(1_000, { lake: progress(900, 900, 0), counters: progress(900, 900, 0) });
  expect(loadsOf(null, first)).toMatchObject([{ bytes_per_s: null, lag_ms: 100, lag_growth_ms: 0 }]);
  const second = sight(11_000, {
    lake: progress(10_000, 9_000, 5_000, 2),
    counters: progress(10_000, 10_900, 20_000, 1),
  });
  expect(loadsOf(first, second)).toEqual([
    {
      id: "s",
      first_lane: 0,
      last_lane: 3,
      bytes_per_s: 2_000,
      records_per_s: 20,
      lane_shares: [0, 1, 0, 0],
      lag_ms: 2_000,
      lag_growth_ms: 1_900,
      slowest: "lake",
      is_stalled: false,
    },
  ]);
});

test("in the midst of a long batch the load is known, and nothing; who handles nothing stands still", () => {
  const before = sight(1_000, { enrich: progress(900, 900, 500) });
  const [load] = loadsOf(before, sight(3_000, { enrich: progress(900, 900, 500) }));
  expect(load).toMatchObject({ bytes_per_s: 0, records_per_s: 0, lag_ms: 2_100, is_stalled: true });
});

test("a consumer that has just begun with a shard says nothing about its load", () => {
  const [load] = loadsOf(sight(1_000, {}), sight(3_000, { enrich: progress(2_900, 2_900, 500) }));
  expect(load).toMatchObject({ bytes_per_s: null, lag_ms: 100, is_stalled: false });
});
