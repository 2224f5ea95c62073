import { LANES } from "../../core/position.ts";
import type { ShardProgress } from "../../core/shard-load.ts";
import type { StreamRecord } from "./shard-reader.ts";

type Handled = Pick<StreamRecord, "bytes" | "arrivedAtMs" | "lanes">;

/** After a batch: what has been handled, ever, and up to when. */
export function addHandled(before: ShardProgress | null, records: readonly Handled[], nowMs: number): ShardProgress {
  const lanes = Array.from({ length: LANES }, (_, lane) => before?.lanes[lane] ?? 0);
  let bytes = before?.bytes ?? 0;
  for (const record of records) {
    bytes += record.bytes;
    for (const [lane, more] of record.lanes) lanes[lane] = (lanes[lane] ?? 0) + more;
  }
  const arrivedAtMs = records.at(-1)?.arrivedAtMs ?? nowMs;
  // Kinesis' clock may be ahead of ours.
  const handled_up_to_ms = Math.max(before?.handled_up_to_ms ?? 0, Math.min(arrivedAtMs, nowMs));
  return { at_ms: nowMs, handled_up_to_ms, records: (before?.records ?? 0) + records.length, bytes, lanes };
}

/** Nothing waits in the shard. */
export function addTip(before: ShardProgress | null, nowMs: number): ShardProgress {
  const nothing = { records: 0, bytes: 0, lanes: Array.from({ length: LANES }, () => 0) };
  return { ...nothing, ...before, at_ms: nowMs, handled_up_to_ms: nowMs };
}
