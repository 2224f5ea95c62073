import { AppError } from "../../core/errors.ts";
import { hashKeyOfLane, type Position } from "../../core/position.ts";
import { AGGREGATION_OVERHEAD } from "./aggregation.ts";

/** Bytes that someone waits for. */
export interface Waiting {
  data: Uint8Array;
  events: number;
  deadlineAtMs: number;
  /** Null once answered: also by the deadline, while the bytes themselves still go their way. */
  answer: { resolve(position: Position): void; reject(error: AppError): void } | null;
}

/**
 * What waits for one lane. Only one taking is under way at a time; until the stream has it nothing behind it may go, or a
 * retry would be overtaken.
 */
export interface Lane {
  readonly number: number;
  readonly partitionKey: string;
  readonly hashKey: string;
  push(data: Uint8Array, events: number, deadlineAtMs: number): Promise<Position>;
  /** The first that wait, as many as fit, and at least one where `isFirst`; none while others are under way. */
  take(maxBytes: number, isFirst: boolean): Waiting[];
  /** The stream has what was taken. */
  finish(): void;
  /** The stream does not have it where it belongs: it waits again, before all others. */
  giveBack(): void;
  expire(nowMs: number): void;
}

export function createLane(number: number): Lane {
  let waiting: Waiting[] = [];
  let underWay: Waiting[] = [];
  return {
    number,
    partitionKey: `lane-${number}`,
    hashKey: hashKeyOfLane(number),
    push(data, events, deadlineAtMs) {
      return new Promise((resolve, reject) => {
        waiting.push({ data, events, deadlineAtMs, answer: { resolve, reject } });
      });
    },
    take(maxBytes, isFirst) {
      if (underWay.length > 0 || waiting.length === 0) return [];
      const count = countThatFit(waiting, maxBytes, isFirst);
      underWay = count === waiting.length ? waiting : waiting.slice(0, count);
      waiting = count === waiting.length ? [] : waiting.slice(count);
      return underWay;
    },
    finish() {
      underWay = [];
    },
    giveBack() {
      waiting = [...underWay, ...waiting];
      underWay = [];
    },
    expire(nowMs) {
      expireOf(underWay, nowMs);
      expireOf(waiting, nowMs);
    },
  };
}

function countThatFit(waiting: readonly Waiting[], maxBytes: number, isFirst: boolean): number {
  let bytes = 0;
  let count = 0;
  for (const item of waiting) {
    bytes += item.data.byteLength + AGGREGATION_OVERHEAD;
    if (bytes > maxBytes && !(isFirst && count === 0)) break;
    count++;
  }
  return count;
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
