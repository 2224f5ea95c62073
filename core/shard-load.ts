/** How far one consumer is in one shard. Kept with its lease, so it lies where every process finds it. */
export interface ShardProgress {
  /** When this was so, epoch milliseconds. */
  at_ms: number;
  /** What the stream took before this moment is handled, epoch milliseconds. */
  handled_up_to_ms: number;
  /** Kinesis records and their bytes that were ever handled in this shard. */
  records: number;
  bytes: number;
  /** Bytes of what lay in them, by lane, before packing: only their proportions mean something. */
  lanes: readonly number[];
}

/** An open shard as it was seen. */
export interface ShardSight {
  id: string;
  /** Its lanes, first and last included. */
  first_lane: number;
  last_lane: number;
  /** By consumer; one that has not begun with the shard is not in it. */
  consumers: Readonly<Record<string, ShardProgress>>;
}

export interface StreamSight {
  at_ms: number;
  /** Kinesis' own word: `ACTIVE`, or `UPDATING` while shards are being changed. */
  status: string;
  /** In the order of their lanes. */
  shards: readonly ShardSight[];
  /** Consumers that still read shards which a change has closed, or have not begun with those that came of it. */
  behind_change: readonly string[];
}

/** What a shard had to carry between two looks. */
export interface ShardLoad {
  id: string;
  first_lane: number;
  last_lane: number;
  /** Null where there are no two looks yet. */
  records_per_s: number | null;
  bytes_per_s: number | null;
  /** Each lane's share of the bytes, from the first on; together 1, or all 0. */
  lane_shares: readonly number[];
  /** Of the consumer that is furthest behind; null where none has begun. */
  lag_ms: number | null;
  /** By how much it has grown since the look before. */
  lag_growth_ms: number;
  slowest: string | null;
  /** The slowest has handled nothing since the look before: it stands still, and is not just slow. */
  is_stalled: boolean;
}

/** Two looks make a load. Every consumer reads everything, so the one that has read most knows best. */
export function loadsOf(before: StreamSight | null, now: StreamSight): ShardLoad[] {
  return now.shards.map((shard) => {
    const earlier = before?.shards.find((candidate) => candidate.id === shard.id);
    const { id, first_lane, last_lane } = shard;
    return {
      id,
      first_lane,
      last_lane,
      ...ratesOf(earlier, shard, secondsBetween(before, now)),
      ...lagOf(before, earlier, now, shard),
    };
  });
}

function secondsBetween(before: StreamSight | null, now: StreamSight): number {
  return before ? (now.at_ms - before.at_ms) / 1000 : 0;
}

/** By the clock of the looks: a batch that takes longer than from one to the next counts for nothing in the one, and whole in the other. */
function ratesOf(before: ShardSight | undefined, now: ShardSight, seconds: number) {
  const width = now.last_lane - now.first_lane + 1;
  let [records, bytes]: [number | null, number | null] = [null, null];
  let shares: number[] = Array.from({ length: width }, () => 0);
  for (const [name, after] of Object.entries(now.consumers)) {
    const first = before?.consumers[name];
    if (!first || seconds <= 0) continue;
    const rate = Math.max(0, (after.bytes - first.bytes) / seconds);
    if (bytes !== null && rate < bytes) continue;
    bytes = rate;
    records = Math.max(0, (after.records - first.records) / seconds);
    shares = sharesOf(first, after, now.first_lane, width);
  }
  return { records_per_s: records, bytes_per_s: bytes, lane_shares: shares };
}

function sharesOf(before: ShardProgress, after: ShardProgress, from: number, width: number): number[] {
  const parts = Array.from({ length: width }, (_, i) =>
    Math.max(0, (after.lanes[from + i] ?? 0) - (before.lanes[from + i] ?? 0)),
  );
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => (sum === 0 ? 0 : part / sum));
}

function lagOf(before: StreamSight | null, earlier: ShardSight | undefined, now: StreamSight, shard: ShardSight) {
  const lag = (sight: StreamSight, progress: ShardProgress) => Math.max(0, sight.at_ms - progress.handled_up_to_ms);
  let [slowest, lag_ms]: [string | null, number | null] = [null, null];
  for (const [name, progress] of Object.entries(shard.consumers)) {
    const ms = lag(now, progress);
    if (lag_ms === null || ms > lag_ms) [slowest, lag_ms] = [name, ms];
  }
  const progress = slowest === null ? undefined : shard.consumers[slowest];
  const first = slowest === null ? undefined : earlier?.consumers[slowest];
  if (!before || !progress || !first) return { lag_ms, slowest, lag_growth_ms: 0, is_stalled: false };
  const is_stalled = progress.records === first.records && progress.handled_up_to_ms === first.handled_up_to_ms;
  return { lag_ms, slowest, lag_growth_ms: lag(now, progress) - lag(before, first), is_stalled };
}
