import { setTimeout as sleep } from "node:timers/promises";

import {
  ExpiredIteratorException,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  InvalidArgumentException,
  type KinesisClient,
} from "@aws-sdk/client-kinesis";

import { laneOfHashKey } from "../../core/position.ts";
import type { Logger } from "../logger.ts";
import { unpackRecords } from "./packing.ts";
import type { StreamEntry } from "./types.ts";

const BUSY_POLL_MS = 25;
const IDLE_POLL_MS = 150;
const POLL_GROWTH = 1.4;
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 3_000;
/** What one read is meant to bring: the limit of records follows from how large the last ones were. */
const TARGET_BYTES = 4 * 1024 * 1024;
const FIRST_LIMIT = 100;
const LAST_LIMIT = 10_000;

/** One Kinesis record, taken apart. */
export interface StreamRecord {
  sequence: string;
  bytes: number;
  arrivedAtMs: number;
  entries: StreamEntry[];
  /** Bytes of the entries, by lane. */
  lanes: ReadonlyMap<number, number>;
}

export interface Reading {
  records: StreamRecord[];
  /** The time (`readTime`) before this reading, where it reached the tip: everything acknowledged by then is in it. */
  tipTimeMs: number | null;
  msBehind: number;
  /** The shard is closed, and this was the last of it. */
  ended: boolean;
}

interface ReaderOptions {
  stream: string;
  shard: string;
  /** The last sequence number that was handled; null begins at the oldest record. */
  after: string | null;
  /** Whether what has this hash key belongs to the shard. A record may hold what does not, sent while shards were split. */
  owns(hashKey: string): boolean;
  /** The shard takes no more records, as far as is known. */
  isClosed(): boolean;
  countEvents(data: Buffer): number;
  readTime(): Promise<number> | number;
  idlePollMs?: number | undefined;
  log: Logger;
}

export interface ShardReader {
  /** Waits its turn (busy shards are asked more often), and for as long as the stream is away. Null once stopped. */
  read(signal: AbortSignal): Promise<Reading | null>;
  /** There is something to read, says somebody who has just written it: the turn comes at once. */
  poke(): void;
}

/** Reads a shard in order, from one place to the next, through expired iterators, throttling and restarts. */
export function createShardReader(kinesis: KinesisClient, options: ReaderOptions): ShardReader {
  let iterator: string | undefined;
  let after = options.after;
  let limit = FIRST_LIMIT;
  let pauseMs = 0;
  let pollMs = BUSY_POLL_MS;
  let ended = false;
  let isPoked = false;
  let wake = new AbortController();

  async function read(signal: AbortSignal): Promise<Reading | null> {
    let backoffMs = FIRST_BACKOFF_MS;
    await waitForTurn(signal);
    while (!signal.aborted) {
      try {
        return await readOnce();
      } catch (error) {
        await pause(recover(error, backoffMs), signal);
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      }
    }
    return null;
  }

  async function waitForTurn(signal: AbortSignal): Promise<void> {
    if (!isPoked) {
      wake = new AbortController();
      await pause(pauseMs, AbortSignal.any([signal, wake.signal]));
    }
    isPoked = false;
  }

  function poke(): void {
    isPoked = true;
    wake.abort();
  }

  async function readOnce(): Promise<Reading> {
    const timeMs = await readTime();
    if (ended) return { records: [], tipTimeMs: timeMs, msBehind: 0, ended };
    // Before it is read: what is known to be closed by then can get no first record any more.
    const mayGrow = !options.isClosed();
    iterator ??= await openIterator(kinesis, options, after);
    const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }));
    const records = (answer.Records ?? []).map((record) => takeApart(record, options));
    // The embedded stream always says 0 behind, so a full answer is taken as one that did not reach the tip.
    const isTip = answer.MillisBehindLatest === 0 && records.length < limit;
    ended = answer.NextShardIterator === undefined;
    // The embedded stream may let a next iterator overtake the very first record while that is still being written.
    const isUntouched = mayGrow && after === null && records.length === 0 && answer.MillisBehindLatest === 0;
    if (!isUntouched || ended) iterator = answer.NextShardIterator;
    after = records.at(-1)?.sequence ?? after;
    adapt(records, isTip);
    return { records, tipTimeMs: isTip || ended ? timeMs : null, msBehind: answer.MillisBehindLatest ?? 0, ended };
  }

  /** Without the time there is no progress to tell, but the records still come. */
  async function readTime(): Promise<number | null> {
    try {
      return await options.readTime();
    } catch (error) {
      options.log.debug({ shard: options.shard, err: error }, "the time of the reading is not known");
      return null;
    }
  }

  function adapt(records: readonly StreamRecord[], isTip: boolean): void {
    if (records.length > 0) {
      const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
      limit = Math.round(Math.min(LAST_LIMIT, Math.max(1, TARGET_BYTES / (bytes / records.length)), limit * 4));
    }
    pollMs = records.length > 0 ? BUSY_POLL_MS : Math.min(pollMs * POLL_GROWTH, options.idlePollMs ?? IDLE_POLL_MS);
    pauseMs = isTip ? pollMs : 0;
  }

  /** How long to wait before the next try. */
  function recover(error: unknown, backoffMs: number): number {
    iterator = undefined;
    limit = Math.max(1, limit >> 2);
    if (error instanceof ExpiredIteratorException || error instanceof InvalidArgumentException) {
      return backoffMs === FIRST_BACKOFF_MS ? 0 : backoffMs;
    }
    options.log.warn({ shard: options.shard, err: error, backoffMs }, "the stream does not answer");
    return backoffMs;
  }

  return { read, poke };
}

async function openIterator(
  kinesis: KinesisClient,
  { stream, shard }: ReaderOptions,
  after: string | null,
): Promise<string | undefined> {
  const place =
    after === null
      ? ({ ShardIteratorType: "TRIM_HORIZON" } as const)
      : ({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: after } as const);
  const answer = await kinesis.send(new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ...place }));
  return answer.ShardIterator;
}

type KinesisRecord = NonNullable<GetRecordsCommandOutput["Records"]>[number];

/** Its producer sends again, to where it belongs, what does not belong here: it is left out, but has its number. */
function takeApart(record: KinesisRecord, { owns, countEvents }: ReaderOptions): StreamRecord {
  const sequence = record.SequenceNumber ?? "";
  const bytes = record.Data ?? new Uint8Array();
  const arrivedAtMs = record.ApproximateArrivalTimestamp?.getTime() ?? Date.now();
  let index = 0;
  const entries: StreamEntry[] = [];
  const lanes = new Map<number, number>();
  for (const { hashKey, data } of unpackRecords(bytes)) {
    if (hashKey === null || owns(hashKey)) {
      entries.push({ sequence, index, data, arrivedAtMs });
      const lane = laneNamed(hashKey);
      if (lane !== null) lanes.set(lane, (lanes.get(lane) ?? 0) + data.byteLength);
    }
    index += countOrOne(countEvents, data);
  }
  return { sequence, bytes: bytes.byteLength, arrivedAtMs, entries, lanes };
}

/** What others put into the stream by a key of their own has no lane. */
function laneNamed(hashKey: string | null): number | null {
  return hashKey !== null && /^\d{1,39}$/.test(hashKey) ? laneOfHashKey(hashKey) : null;
}

/** What cannot be read still takes a place: the handler will say what is wrong with it. */
function countOrOne(countEvents: (data: Buffer) => number, data: Buffer): number {
  try {
    return countEvents(data);
  } catch {
    return 1;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}
