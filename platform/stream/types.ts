import type { Registry } from "prom-client";

import type { Position } from "../../core/position.ts";

/** Puts bytes on a stream, many callers' together, without ever changing the order within a lane. */
export interface StreamProducer {
  /**
   * Resolves once the stream has acknowledged the bytes. `events` is how many events they hold; `index` of the answer is
   * the place of the first of them in the record. Rejects with `unavailable` where too much is waiting already, or where
   * the stream has not answered in time: then the bytes may or may not lie in the stream.
   */
  append(lane: number, data: Uint8Array, events: number): Promise<Position>;
  /** Bytes that wait for the stream. */
  readonly pendingBytes: number;
  /** Waits for what is pending. */
  close(): Promise<void>;
}

/** One piece of what producers appended, with its place. */
export interface StreamEntry {
  sequence: string;
  /** How many events come before this entry's first one in the same Kinesis record. */
  index: number;
  data: Buffer;
  /** When the stream took it, epoch milliseconds. */
  arrivedAtMs: number;
}

export interface StreamBatch<State> {
  shard: string;
  /** In order. */
  entries: StreamEntry[];
  /** What the handler returned for the batch before; undefined at the very beginning of the stream. */
  state: State | undefined;
  /** No other process reads a shard of this stream under this consumer's name: what is in memory is all there is. */
  isAlone?: boolean;
  /** Aborts once another process has taken the shard over: what is not begun yet need not be. */
  signal: AbortSignal;
}

/**
 * A consumer is a pure batch handler: it resolves when every effect of the batch is durable, and what it returns is saved
 * in one write with the checkpoint. When it throws, the same batch comes again, after a pause, for as long as it takes.
 * What is wrong with a single event is the handler's own business (dead letters).
 */
export type BatchHandler<State> = (batch: StreamBatch<State>) => Promise<State>;

export interface ConsumerOptions<State> {
  stream: string;
  /** Names the leases and checkpoints. */
  name: string;
  handle: BatchHandler<State>;
  /** How many events make entries from an entry's data; needed to number them. */
  countEvents(data: Buffer): number;
  /** Entries are gathered until there are this many bytes … */
  maxBatchBytes: number;
  /**
   * Batches are kept so small that one takes about this long, whatever the stores' pace, lest the first of a thousand
   * wait for the last. Not for `exactRanges`. Without it only `maxBatchBytes` counts.
   */
  targetBatchMs?: number;
  /** … or the first has waited this long, in milliseconds. 0 hands over what there is. */
  lingerMs: number;
  /**
   * Before a batch is handled, its first and last sequence number are saved; after a crash exactly that range comes
   * again. For handlers whose output is named after the range.
   */
  exactRanges: boolean;
  /**
   * The state that the shards after a split or merge begin with, from the last state of each shard before. Called only
   * where there are several; must not depend on their order.
   */
  mergeStates(states: readonly State[]): State;
  /**
   * The clock of `onProgress`, read just before records are asked for; `Date.now` unless told. A consumer of a stream
   * that another one writes reads that one's watermark here; then progress is told only at the tip.
   */
  readTime?(): Promise<number> | number;
  /** Told after a batch, and at the tip of an idle shard: what the stream acknowledged before `upToMs` is handled. */
  onProgress?(progress: Progress): void;
  /** Told before any shard of the list is read, and before one that ended leaves it. */
  onShards?(open: readonly string[], ended: readonly string[]): Promise<void> | void;
  /** Told when this process takes a shard over, before it reads it. */
  onAcquired?(shard: string): void;
  /** Where the metrics are kept; none without it. */
  registry?: Registry;
  /** How long a shard stays with a process that no longer answers. */
  leaseMs?: number;
  /** How often a shard is looked at that has had nothing for a while, in milliseconds; 150 unless told. */
  idlePollMs?: number;
}

export interface Progress {
  shard: string;
  upToMs: number;
}

/** A consumer at work: on as many shards as no other process of the same name holds. */
export interface Consumer {
  readonly name: string;
  /** The shards that this process reads now. */
  shards(): string[];
  /** Looks at once whether there is anything to read: called by whoever has just written to the stream. */
  poke(): void;
  /** Stream and lease table have answered when they were last asked. */
  isReady(): boolean;
  /** Finishes the batches under way, saves the checkpoints and lets go of the leases. */
  stop(): Promise<void>;
}
