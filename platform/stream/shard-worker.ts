import { setTimeout as sleep } from "node:timers/promises";

import type { Logger } from "../logger.ts";
import type { ShardMetrics } from "./consumer-metrics.ts";
import { createGatherer } from "./gatherer.ts";
import { addHandled, addTip } from "./shard-progress.ts";
import { type Lease, LeaseLost, type LeaseStore } from "./lease-store.ts";
import type { ShardReader, StreamRecord } from "./shard-reader.ts";
import { createPace } from "./pace.ts";
import type { ConsumerOptions } from "./types.ts";

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

/** Why the work on a shard is over. */
export type WorkEnd = "ended" | "lost" | "stopped";

interface WorkerParts<State> {
  lease: Lease;
  leases: LeaseStore;
  reader: ShardReader;
  options: ConsumerOptions<State>;
  metrics: ShardMetrics;
  log: Logger;
  isAlone(): boolean;
  /** Aborts where the process is to stop, or the lease is lost. */
  signal: AbortSignal;
}

/** Reads a shard and hands it to the handler, batch by batch, until it ends, is lost or is to be let go. */
export async function workOnShard<State>(parts: WorkerParts<State>): Promise<WorkEnd> {
  const { lease, leases, reader, options, metrics, signal } = parts;
  const gatherer = createGatherer({ lingerMs: options.lingerMs, pending: lease.pending });
  const pace = createPace(options);
  let state = lease.state === null || lease.state === "null" ? undefined : (JSON.parse(lease.state) as State);
  // One reading ahead: the next records are on their way while a batch is handled.
  let next = reader.read(signal);
  for (;;) {
    const reading = await next;
    if (!reading) return "stopped";
    // Not by the wall's clock: set back by an hour, it would have what is gathered wait for an hour.
    gatherer.add(reading, performance.now());
    metrics.msBehind(reading.msBehind);
    if (!reading.ended) next = reader.read(signal);
    for (;;) {
      const batch = gatherer.take(performance.now(), pace.maxBytes());
      if (!batch) break;
      const startedAt = performance.now();
      const outcome = await handleUntilDone(parts, batch, state);
      if (outcome.end) return outcome.end;
      state = outcome.state;
      pace.learn(batch, performance.now() - startedAt);
      tellProgress(parts, batch, gatherer.markHandled());
    }
    if (gatherer.isEmpty) {
      const tipTimeMs = gatherer.markHandled();
      if (tipTimeMs !== null) lease.progress = addTip(lease.progress, Date.now());
      tellProgress(parts, [], tipTimeMs);
    }
    if (!reading.ended) continue;
    await persist(parts, () => leases.end(lease));
    return "ended";
  }
}

type Outcome<State> = { end: WorkEnd } | { end: null; state: State };

/** Effects first, then the checkpoint; again from the beginning, for as long as it takes. */
async function handleUntilDone<State>(
  parts: WorkerParts<State>,
  records: readonly StreamRecord[],
  state: State | undefined,
): Promise<Outcome<State>> {
  const { lease, leases, options, metrics, signal, log } = parts;
  const first = records[0]?.sequence ?? "";
  const last = records.at(-1)?.sequence ?? "";
  const entries = records.flatMap((record) => record.entries);
  const before = lease.progress;
  for (let backoffMs = FIRST_BACKOFF_MS; !signal.aborted; backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS)) {
    const startedAt = performance.now();
    try {
      if (options.exactRanges) await leases.savePending(lease, { first, last });
      const after = await options.handle({ shard: lease.shard, entries, state, isAlone: parts.isAlone(), signal });
      lease.progress = addHandled(before, records, Date.now());
      await leases.saveCheckpoint(lease, last, JSON.stringify(after ?? null));
      metrics.batch((performance.now() - startedAt) / 1000, entries.length);
      return { end: null, state: after };
    } catch (error) {
      if (error instanceof LeaseLost) return { end: "lost" };
      metrics.failure();
      log.warn({ shard: lease.shard, first, last, err: error, backoffMs }, "a batch failed and is tried again");
      await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return { end: "stopped" };
}

/** A write to the lease table that must succeed or find the lease gone. */
async function persist<State>(parts: WorkerParts<State>, write: () => Promise<void>): Promise<void> {
  for (let backoffMs = FIRST_BACKOFF_MS; !parts.signal.aborted; backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS)) {
    try {
      return await write();
    } catch (error) {
      if (error instanceof LeaseLost) return;
      parts.log.warn({ shard: parts.lease.shard, err: error, backoffMs }, "the lease table does not answer");
      await sleep(backoffMs, undefined, { signal: parts.signal }).catch(() => undefined);
    }
  }
}

function tellProgress<State>(
  { lease, options, metrics }: WorkerParts<State>,
  handled: readonly StreamRecord[],
  tipTimeMs: number | null,
): void {
  const arrivedAtMs = handled.at(-1)?.arrivedAtMs;
  if (arrivedAtMs !== undefined) metrics.recordAge(Math.max(0, Date.now() - arrivedAtMs));
  else if (tipTimeMs !== null) metrics.recordAge(0);
  const upToMs = tipTimeMs ?? (options.readTime ? undefined : arrivedAtMs);
  if (upToMs !== undefined) options.onProgress?.({ shard: lease.shard, upToMs });
}
