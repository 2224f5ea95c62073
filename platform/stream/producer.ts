import type { KinesisClient } from "@aws-sdk/client-kinesis";

import { AppError } from "../../core/errors.ts";
import { LANES } from "../../core/position.ts";
import { createLane, type LaneRecord } from "./producer-lane.ts";
import { createPutRecords, type PutAnswer, type PutRecords } from "./put-records.ts";
import type { StreamProducer } from "./types.ts";

export interface ProducerOptions {
  kinesis: KinesisClient;
  stream: string;
  /** More than this waiting, and `append` rejects with `unavailable`. */
  maxPendingBytes?: number;
  /** How long `append` waits for the stream. */
  deadlineMs?: number;
  /** How long a single put may take before it is given up and sent again. */
  putTimeoutMs?: number;
  /** Puts under way at once, each with its own lanes. */
  concurrentPuts?: number;
  /** How long a put waits for the one before it, while little is waiting: a call costs more than the bytes in it. */
  patienceMs?: number;
  /** The largest Kinesis record made of several appends. */
  maxRecordBytes?: number;
  /** Instead of the stream's own. */
  putRecords?: PutRecords;
  /** Told of every record that the stream did not take, with its error code. */
  onRetry?: (reason: string) => void;
  /** Told of every put, with the number of its records. */
  onPut?: (records: number) => void;
}

/** Kinesis takes records of 1 MiB, and 5 MiB in a put. */
const MAX_APPEND_BYTES = 1_000_000;
const MAX_PUT_BYTES = 4_500_000;
const FIRST_BACKOFF_MS = 40;
const MAX_BACKOFF_MS = 2_000;
const EXPIRE_EVERY_MS = 100;
/** So much is worth a put of its own at once. */
const WORTH_A_PUT_BYTES = 256 * 1024;

/**
 * Group commit: whatever arrives while a put is under way goes out together with the next, one aggregated record for each
 * lane, all free lanes in one PutRecords.
 */
export function createStreamProducer(options: ProducerOptions): StreamProducer {
  const { maxPendingBytes = 64 * 1024 * 1024, deadlineMs = 8_000, concurrentPuts = 4 } = options;
  const { maxRecordBytes = 512 * 1024, putTimeoutMs = 5_000, patienceMs = 10 } = options;
  const putRecords = options.putRecords ?? createPutRecords(options.kinesis, options.stream, putTimeoutMs);
  const lanes = Array.from({ length: LANES }, (_, number) => createLane(number));
  let pendingBytes = 0;
  let bytesUnderWay = 0;
  let putsUnderWay = 0;
  let lastPutAtMs = 0;
  let patience: NodeJS.Timeout | null = null;
  let firstLane = 0;
  let isScheduled = false;
  let isClosed = false;
  let whenEmpty: (() => void)[] = [];
  const expiry = setInterval(() => lanes.forEach((lane) => lane.expire(Date.now())), EXPIRE_EVERY_MS).unref();

  /** After this turn of the event loop, so that requests read in the same turn share a put. */
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  };

  const flush = () => {
    isScheduled = false;
    for (let records = gather(); records.length > 0; records = gather()) void put(records);
  };

  /** Begins with another lane each time, lest the size limit starve the last. */
  const gather = (): LaneRecord[] => {
    const records: LaneRecord[] = [];
    if (putsUnderWay >= concurrentPuts || isPatient()) return records;
    let bytes = 0;
    firstLane = (firstLane + 1) % LANES;
    for (let i = 0; i < LANES && bytes < MAX_PUT_BYTES - MAX_APPEND_BYTES; i++) {
      const record = lanes[(firstLane + i) % LANES]?.take(maxRecordBytes);
      if (!record) continue;
      records.push(record);
      bytes += record.data.byteLength;
    }
    return records;
  };

  /** Nothing is under way: go. Something is: its answer comes soon, and then all that has come by then goes together. */
  const isPatient = (): boolean => {
    if (putsUnderWay === 0 || pendingBytes - bytesUnderWay >= WORTH_A_PUT_BYTES) return false;
    const leftMs = lastPutAtMs + patienceMs - performance.now();
    if (leftMs <= 0) return false;
    patience ??= setTimeout(() => {
      patience = null;
      schedule();
    }, leftMs);
    return true;
  };

  const put = async (records: LaneRecord[]) => {
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    putsUnderWay++;
    bytesUnderWay += bytes;
    lastPutAtMs = performance.now();
    options.onPut?.(records.length);
    const refused = settle(records, await putRecords(records));
    putsUnderWay--;
    bytesUnderWay -= bytes;
    if (refused.length > 0) setTimeout(giveBack, backoffMs(refused), refused);
    schedule();
    if (pendingBytes === 0) {
      for (const tell of whenEmpty) tell();
      whenEmpty = [];
    }
  };

  const settle = (records: LaneRecord[], answers: readonly PutAnswer[]): LaneRecord[] =>
    records.filter((record, i) => {
      const answer = answers[i] ?? { error: "NoAnswer" };
      if ("error" in answer) {
        options.onRetry?.(answer.error);
        return true;
      }
      pendingBytes -= record.bytes;
      record.lane.acknowledge(record, answer);
      return false;
    });

  const giveBack = (refused: LaneRecord[]) => {
    for (const record of refused) record.lane.giveBack(record);
    schedule();
  };

  return {
    append(lane, data, events) {
      const refusal = whyNot(data.byteLength);
      if (refusal) return Promise.reject(refusal);
      const queue = lanes[lane];
      if (!queue) return Promise.reject(new AppError("internal", `There is no lane ${lane}`));
      pendingBytes += data.byteLength;
      schedule();
      return queue.push(data, events, Date.now() + deadlineMs);
    },
    get pendingBytes() {
      return pendingBytes;
    },
    async close() {
      isClosed = true;
      if (pendingBytes > 0) await new Promise<void>((resolve) => whenEmpty.push(resolve));
      clearInterval(expiry);
    },
  };

  function whyNot(bytes: number): AppError | null {
    if (isClosed) return new AppError("unavailable", "Shutting down.", { retryAfterMs: 1_000 });
    if (bytes > MAX_APPEND_BYTES) return new AppError("invalid", `${bytes} bytes are too much for one record`);
    if (pendingBytes + bytes <= maxPendingBytes) return null;
    return new AppError("unavailable", "Too much is waiting for the stream.", { retryAfterMs: 1_000 });
  }
}

/** Doubles with each attempt; jittered, so that several processes do not come back in step. */
function backoffMs(refused: readonly LaneRecord[]): number {
  const attempt = Math.max(...refused.map((record) => record.attempt));
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}
