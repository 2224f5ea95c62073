import { AppError } from "../../core/errors.ts";
import { hashKeyOfLane, type Position } from "../../core/position.ts";
import { AGGREGATION_OVERHEAD } from "./aggregation.ts";
import { packRecords } from "./packing.ts";

/** Bytes that someone waits for. */
interface Waiting {
  data: Uint8Array;
  events: number;
  deadlineAtMs: number;
  /** Null once answered: also by the deadline, while the bytes themselves still go their way. */
  answer: { resolve(position: Position): void; reject(error: AppError): void } | null;
}

/** A lane's part of a put: one Kinesis record, sent unchanged until the stream has taken it. */
export interface LaneRecord {
  lane: Lane;
  items: Waiting[];
  data: Buffer;
  partitionKey: string;
  hashKey: string;
  /** Bytes of the callers in it. */
  bytes: number;
  attempt: number;
}

/**
 * What waits for one lane. At most one record is under way; until the stream has taken it nothing behind it may go, or a
 * retry would be overtaken.
 */
export interface Lane {
  readonly isEmpty: boolean;
  push(data: Uint8Array, events: number, deadlineAtMs: number): Promise<Position>;
  /** The record to send now: the one that failed, else a new one of what waits; null while one is under way. */
  take(maxBytes: number): LaneRecord | null;
  /** The stream has it. */
  acknowledge(record: LaneRecord, place: { shard: string; sequence: string }): void;
  /** The stream refused it; `take` gives it out again. */
  giveBack(record: LaneRecord): void;
  expire(nowMs: number): void;
}

export function createLane(number: number): Lane {
  const partitionKey = `lane-${number}`;
  const hashKey = hashKeyOfLane(number);
  let waiting: Waiting[] = [];
  let current: LaneRecord | null = null;
  let isUnderWay = false;
  const lane: Lane = {
    get isEmpty() {
      return waiting.length === 0 && current === null;
    },
    push(data, events, deadlineAtMs) {
      return new Promise((resolve, reject) => {
        waiting.push({ data, events, deadlineAtMs, answer: { resolve, reject } });
      });
    },
    take(maxBytes) {
      if (isUnderWay) return null;
      if (current === null) {
        const [items, rest] = splitAt(waiting, maxBytes);
        if (items.length === 0) return null;
        waiting = rest;
        const parts = items.map((item) => item.data);
        const data = packRecords(partitionKey, hashKey, parts);
        const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
        current = { lane, items, data, partitionKey, hashKey, bytes, attempt: 0 };
      }
      isUnderWay = true;
      return current;
    },
    acknowledge(record, place) {
      current = null;
      isUnderWay = false;
      let index = 0;
      for (const item of record.items) {
        item.answer?.resolve({ shard: place.shard, sequence: place.sequence, index });
        index += item.events;
      }
    },
    giveBack(record) {
      record.attempt++;
      isUnderWay = false;
    },
    expire(nowMs) {
      if (current !== null) expireOf(current.items, nowMs);
      expireOf(waiting, nowMs);
    },
  };
  return lane;
}

/** As many as fit into a record, at least one. */
function splitAt(waiting: Waiting[], maxBytes: number): [Waiting[], Waiting[]] {
  let bytes = 0;
  let count = 0;
  for (const item of waiting) {
    bytes += item.data.byteLength + AGGREGATION_OVERHEAD;
    if (count > 0 && bytes > maxBytes) break;
    count++;
  }
  return count === waiting.length ? [waiting, []] : [waiting.slice(0, count), waiting.slice(count)];
}

/** Deadlines are in the order of arrival. */
function expireOf(items: readonly Waiting[], nowMs: number): void {
  for (const item of items) {
    if (item.deadlineAtMs > nowMs) return;
    item.answer?.reject(
      new AppError("unavailable", "The stream has not answered in time; the events may or may not be in it.", {
        retryAfterMs: 1_000,
      }),
    );
    item.answer = null;
  }
}
