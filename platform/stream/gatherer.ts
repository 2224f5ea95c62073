import type { SequenceRange } from "./lease-store.ts";
import type { Reading, StreamRecord } from "./shard-reader.ts";

/** Gathers what is read into batches of whole records, and knows up to which time everything has been handled. */
export interface Gatherer {
  add(reading: Reading, nowMs: number): void;
  /** The next batch, where one is due; of so many bytes, give or take a record. */
  take(nowMs: number, maxBytes: number): StreamRecord[] | null;
  /** Everything taken so far is handled. Answers the latest tip that was reached with nothing left, if any. */
  markHandled(): number | null;
  readonly isEmpty: boolean;
  readonly bytes: number;
}

interface GathererOptions {
  lingerMs: number;
  /** A range that was begun before a crash: it comes as one batch, exactly. */
  pending: SequenceRange | null;
}

export function createGatherer(options: GathererOptions): Gatherer {
  const waiting: StreamRecord[] = [];
  let bytes = 0;
  let firstAtMs = 0;
  let pendingLast = options.pending?.last ?? null;
  let ended = false;
  let added = 0;
  let taken = 0;
  const tips: { after: number; timeMs: number }[] = [];

  function add(reading: Reading, nowMs: number): void {
    if (waiting.length === 0) firstAtMs = nowMs;
    for (const record of reading.records) {
      waiting.push(record);
      bytes += record.bytes;
    }
    added += reading.records.length;
    ended ||= reading.ended;
    if (reading.tipTimeMs === null) return;
    if (tips.at(-1)?.after === added) tips.pop();
    tips.push({ after: added, timeMs: reading.tipTimeMs });
  }

  function take(nowMs: number, maxBytes: number): StreamRecord[] | null {
    if (waiting.length === 0) return null;
    // Nothing of the range is kept any more.
    if (pendingLast !== null && isAfter(waiting[0]?.sequence ?? "", pendingLast)) pendingLast = null;
    const count = pendingLast === null ? dueCount(nowMs, maxBytes) : pendingCount(pendingLast);
    if (count === 0) return null;
    pendingLast = null;
    const batch = waiting.splice(0, count);
    for (const record of batch) bytes -= record.bytes;
    taken += count;
    return batch;
  }

  function dueCount(nowMs: number, maxBytes: number): number {
    const isDue = bytes >= maxBytes || ended || nowMs - firstAtMs >= options.lingerMs;
    if (!isDue) return 0;
    let size = 0;
    const full = waiting.findIndex((record) => (size += record.bytes) >= maxBytes);
    return full < 0 ? waiting.length : full + 1;
  }

  /** The last record of the range, or, where the stream has dropped that one meanwhile, all that comes before it. */
  function pendingCount(last: string): number {
    const beyond = waiting.findIndex((record) => isAfter(record.sequence, last));
    if (beyond >= 0) return beyond;
    return waiting.at(-1)?.sequence === last || ended ? waiting.length : 0;
  }

  function markHandled(): number | null {
    let timeMs: number | null = null;
    while (tips[0] && tips[0].after <= taken) timeMs = tips.shift()?.timeMs ?? null;
    return timeMs;
  }

  return {
    add,
    take,
    markHandled,
    get isEmpty() {
      return waiting.length === 0;
    },
    get bytes() {
      return bytes;
    },
  };
}

function isAfter(sequence: string, other: string): boolean {
  return sequence.length === other.length ? sequence > other : sequence.length > other.length;
}
