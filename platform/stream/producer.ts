import type { KinesisClient } from "@aws-sdk/client-kinesis";

import { AppError } from "../../core/errors.ts";
import { LANES } from "../../core/position.ts";
import { type Bundle, hasMoved, settleBundle, takeBundle } from "./bundle.ts";
import { createLane, type Lane } from "./producer-lane.ts";
import { createPutRecords, type PutAnswer, type PutRecords } from "./put-records.ts";
import { createShardMap, type ShardMap } from "./shard-map.ts";
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
  /** Puts under way at once, each with lanes of its own. */
  concurrentPuts?: number;
  /** How long a put waits for the one before it, while little is waiting: a call costs more than the bytes in it. */
  patienceMs?: number;
  /** The largest Kinesis record made of several appends. */
  maxRecordBytes?: number;
  /** Instead of the stream's own. */
  putRecords?: PutRecords;
  shardMap?: ShardMap;
  /** Told of every record that the stream did not take, with its error code. */
  onRetry?: (reason: string) => void;
  /** Told of every put, with the number of its records. */
  onPut?: (records: number) => void;
}

/** Kinesis takes records of 1 MiB, and 5 MiB in a put. */
const MAX_APPEND_BYTES = 1_000_000;
const MAX_PUT_BYTES = 4_500_000;
const MAX_PUT_RECORDS = 500;
const FIRST_BACKOFF_MS = 40;
const MAX_BACKOFF_MS = 2_000;
/** For so long a put waits for requests that come in without a break. */
const GATHER_MS = 4;
const EXPIRE_EVERY_MS = 100;
/** From one small put to the next: a put costs each side as much processor as dozens of events in it. */
const SPACING_MS = 2;
/** So much is worth a put of its own at once. */
const WORTH_A_PUT_BYTES = 256 * 1024;

/**
 * Group commit: whatever arrives while a put is under way goes out together with the next, all free lanes in one
 * PutRecords, those of a shard in one aggregated record.
 */
export function createStreamProducer(options: ProducerOptions): StreamProducer {
  const { maxPendingBytes = 64 * 1024 * 1024, deadlineMs = 8_000, concurrentPuts = 4 } = options;
  const { maxRecordBytes = 512 * 1024, putTimeoutMs = 5_000, patienceMs = 10 } = options;
  const putRecords = options.putRecords ?? createPutRecords(options.kinesis, options.stream, putTimeoutMs);
  const shardMap = options.shardMap ?? createShardMap(options.kinesis, options.stream);
  const lanes = Array.from({ length: LANES }, (_, number) => createLane(number));
  let refused: Bundle[] = [];
  let pendingBytes = 0;
  let bytesUnderWay = 0;
  let putsUnderWay = 0;
  let lastPutAtMs = 0;
  let patience: NodeJS.Timeout | undefined;
  let turn = 0;
  let isScheduled = false;
  let scheduledAtMs = 0;
  let isClosed = false;
  let whenEmpty: (() => void)[] = [];
  const expiry = setInterval(() => lanes.forEach((lane) => lane.expire(performance.now())), EXPIRE_EVERY_MS).unref();

  /** Once nothing more comes: requests that the event loop has still to read share the put. */
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    scheduledAtMs = performance.now();
    setImmediate(flushOrGather, 0);
  };

  const flushOrGather = (pendingBefore: number) => {
    const isQuiet = pendingBytes <= pendingBefore;
    if (isQuiet || performance.now() - scheduledAtMs >= GATHER_MS) flush();
    else setImmediate(flushOrGather, pendingBytes);
  };

  const flush = () => {
    isScheduled = false;
    for (let bundles = gather(); bundles.length > 0; bundles = gather()) void put(bundles);
  };

  /** What was refused goes first: until the stream has it, nothing else of its lanes may go. */
  const gather = (): Bundle[] => {
    if (putsUnderWay >= concurrentPuts || isPatient()) return [];
    const bundles: Bundle[] = [];
    let bytes = 0;
    const isFull = () => bytes >= MAX_PUT_BYTES - MAX_APPEND_BYTES || bundles.length >= MAX_PUT_RECORDS;
    const add = (bundle: Bundle | null | undefined): boolean => {
      if (!bundle) return false;
      bundles.push(bundle);
      bytes += bundle.data.byteLength;
      return !isFull();
    };
    while (!isFull() && add(refused.shift()));
    turn++;
    for (const group of rotated(shardMap.groups, turn)) {
      const members = rotated(group.lanes, turn).map((number) => lanes[number] as Lane);
      while (!isFull() && add(takeBundle(members, group.shard, maxRecordBytes)));
    }
    return bundles;
  };

  /** After a pause: go. Else what comes until the next put is due goes together; where one is under way its answer comes soon. */
  const isPatient = (): boolean => {
    if (pendingBytes - bytesUnderWay >= WORTH_A_PUT_BYTES) return false;
    const leftMs = lastPutAtMs + (putsUnderWay === 0 ? SPACING_MS : patienceMs) - performance.now();
    if (leftMs <= 0) return false;
    clearTimeout(patience);
    patience = setTimeout(schedule, leftMs);
    return true;
  };

  const put = async (bundles: Bundle[]) => {
    const bytes = bundles.reduce((sum, bundle) => sum + bundle.bytes, 0);
    putsUnderWay++;
    bytesUnderWay += bytes;
    lastPutAtMs = performance.now();
    options.onPut?.(bundles.length);
    const failed = settle(bundles, await putRecords(bundles));
    putsUnderWay--;
    bytesUnderWay -= bytes;
    if (failed.length > 0) setTimeout(giveBack, backoffMs(failed), failed);
    schedule();
    tellIfEmpty();
  };

  const settle = (bundles: Bundle[], answers: readonly PutAnswer[]): Bundle[] =>
    bundles.filter((bundle, i) => {
      const answer = answers[i] ?? { error: "NoAnswer" };
      if ("error" in answer) {
        options.onRetry?.(answer.error);
        return true;
      }
      if (hasMoved(bundle, answer)) void settleMoved(bundle, answer);
      else pendingBytes -= settleBundle(bundle, answer);
      return false;
    });

  /** The stream can tell which lanes lie in that shard: after a merge all do, after a split some. Until it has, all of them wait. */
  const settleMoved = async (bundle: Bundle, place: { shard: string; sequence: string }) => {
    shardMap.renew();
    const settled = settleBundle(bundle, place, await shardMap.lanesOf(place.shard));
    pendingBytes -= settled;
    if (settled < bundle.bytes) options.onRetry?.("Resharded");
    schedule();
    tellIfEmpty();
  };

  const tellIfEmpty = () => {
    if (pendingBytes > 0) return;
    for (const tell of whenEmpty) tell();
    whenEmpty = [];
  };

  const giveBack = (failed: Bundle[]) => {
    for (const bundle of failed) bundle.attempt++;
    refused = [...refused, ...failed];
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
      return queue.push(data, events, performance.now() + deadlineMs);
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

/** Begins with another each time, lest the size limit starve the last. */
function rotated<T>(items: readonly T[], turn: number): T[] {
  const first = turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Doubles with each attempt; jittered, so that several processes do not come back in step. */
function backoffMs(failed: readonly Bundle[]): number {
  const attempt = Math.max(...failed.map((bundle) => bundle.attempt));
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}
