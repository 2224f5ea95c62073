import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Context } from "../context.ts";
import { createShardMetrics, type ShardMetrics } from "./consumer-metrics.ts";
import { createLeaseStore, type Lease, LeaseLost, type LeaseStore } from "./lease-store.ts";
import { isWithin, listShards, readableShards, type StreamShard } from "./shard-list.ts";
import { createShardReader, type ShardReader } from "./shard-reader.ts";
import { type WorkEnd, workOnShard } from "./shard-worker.ts";
import type { Consumer, ConsumerOptions } from "./types.ts";

/** Longer than any pause a healthy process makes, short enough that a crash is hardly noticed. */
const LEASE_MS = 5_000;
/** Renewals and looks at the shard list within the time of a lease. */
const ROUNDS_PER_LEASE = 5;

export type ConsumerContext = Pick<Context, "config" | "log" | "kinesis" | "dynamodb">;

/**
 * Hosts a batch handler on this machine: holds leases on shards, reads them in order, parents before children, and keeps
 * checkpoint and state in DynamoDB. Several processes of the same name share the shards; one that is gone, or was
 * stopped for longer than its lease, is replaced, and can write nothing afterwards. In production Lambda's event source
 * mapping may take this place: the handler is the same.
 */
export function runConsumer<State>(
  ctx: ConsumerContext,
  options: ConsumerOptions<State>,
  openLeases = createLeaseStore,
): Consumer {
  const leaseMs = options.leaseMs ?? LEASE_MS;
  const log = ctx.log.child({ consumer: options.name });
  const owner = randomUUID();
  const leases = openLeases(ctx, { stream: options.stream, consumer: options.name, owner, leaseMs });
  const work = new Map<string, { lease: Lease; reader: ShardReader; abort: AbortController; done: Promise<void> }>();
  const stopping = new AbortController();
  let open: string[] = [];
  const closed = new Set<string>();
  const expiry = createExpiryWatch(leaseMs);
  let isReady = false;
  let isTroubled = false;
  const isAlone = () => open.every((shard) => work.has(shard));

  async function coordinate(): Promise<void> {
    const shards = await listShards(ctx.kinesis, options.stream);
    for (const shard of shards) if (!shard.isOpen) closed.add(shard.id);
    const held = await leases.read(shards.map((shard) => shard.id));
    await tellShards(options, shards, held);
    const hasEnded = (shard: string) => held.get(shard)?.ended === true;
    open = readableShards(shards, hasEnded).map((shard) => shard.id);
    for (const shard of readableShards(shards, hasEnded)) {
      const lease = held.get(shard.id);
      if (stopping.signal.aborted || work.has(shard.id) || (lease && !expiry.isOver(lease))) continue;
      const acquired = await leases.acquire(shard.id, lease, inheritState(options, shard, held));
      if (acquired) begin(acquired, shard);
    }
  }

  function begin(lease: Lease, shard: StreamShard): void {
    const abort = new AbortController();
    const reader = createShardReader(ctx.kinesis, {
      stream: options.stream,
      shard: lease.shard,
      after: lease.checkpoint,
      owns: (hashKey) => isWithin(shard, hashKey),
      isClosed: () => closed.has(shard.id),
      countEvents: options.countEvents,
      readTime: options.readTime ?? Date.now,
      idlePollMs: options.idlePollMs,
      log,
    });
    log.info({ shard: lease.shard, epoch: lease.epoch }, "reading the shard");
    options.onAcquired?.(lease.shard);
    const metrics = createShardMetrics(options.registry, options.name, lease.shard);
    const done = finish(
      lease,
      metrics,
      workOnShard({ lease, leases, reader, options, metrics, log, isAlone, signal: abort.signal }),
    );
    work.set(lease.shard, { lease, reader, abort, done });
  }

  async function finish(lease: Lease, metrics: ShardMetrics, working: Promise<WorkEnd>): Promise<void> {
    const end = await working.catch((error: unknown) => {
      log.error({ shard: lease.shard, err: error }, "reading the shard failed");
    });
    work.delete(lease.shard);
    metrics.leave();
    log.info({ shard: lease.shard, end }, "left the shard");
    if (end !== "ended" && end !== "lost") await letGo(leases, lease);
    if (end === "ended") await round(coordinate);
  }

  async function renew(): Promise<void> {
    await Promise.all(
      [...work.values()].map(async ({ lease, abort }) => {
        try {
          await leases.renew(lease);
        } catch (error) {
          if (!(error instanceof LeaseLost)) throw error;
          log.warn({ shard: lease.shard }, "another process has taken the shard over");
          abort.abort();
        }
      }),
    );
  }

  async function round(task: () => Promise<void>): Promise<void> {
    try {
      await task();
      isReady ||= task === coordinate;
      isTroubled = false;
    } catch (error) {
      // Once is enough: it is tried again every second.
      if (!isTroubled) log.warn({ err: error }, "the leases could not be looked after");
      isReady = false;
      isTroubled = true;
    }
  }

  async function repeat(task: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await round(task);
      await sleep(leaseMs / ROUNDS_PER_LEASE, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const loops = Promise.all([repeat(coordinate), repeat(renew)]);
  return {
    name: options.name,
    shards: () => [...work.keys()],
    poke() {
      for (const { reader } of work.values()) reader.poke();
    },
    isReady: () => isReady,
    async stop() {
      stopping.abort();
      const under = [...work.values()];
      for (const { abort } of under) abort.abort();
      await Promise.all(under.map(({ done }) => done));
      await loops;
    },
  };
}

/**
 * Whether a lease is over: by its own time, or, where whoever wrote that had a clock that was ahead, because it has not been
 * renewed for as long as a lease lasts, and half as long again, since it was first seen here.
 */
function createExpiryWatch(leaseMs: number): { isOver(lease: Lease): boolean } {
  const seen = new Map<string, { mark: string; sinceMs: number }>();
  return {
    isOver({ shard, epoch, expiresAtMs }) {
      if (expiresAtMs <= Date.now()) return true;
      const mark = `${epoch}:${expiresAtMs}`;
      const last = seen.get(shard);
      if (last?.mark === mark) return performance.now() - last.sinceMs > leaseMs * 1.5;
      seen.set(shard, { mark, sinceMs: performance.now() });
      return false;
    },
  };
}

async function tellShards<State>(
  options: ConsumerOptions<State>,
  shards: readonly StreamShard[],
  held: ReadonlyMap<string, Lease>,
): Promise<void> {
  const hasEnded = (shard: StreamShard) => held.get(shard.id)?.ended === true;
  const open = shards.filter((shard) => !hasEnded(shard)).map((shard) => shard.id);
  const ended = shards.filter(hasEnded).map((shard) => shard.id);
  await options.onShards?.(open, ended);
}

/** What a shard's first batch begins with: the last state of the shards it came out of. */
function inheritState<State>(
  options: ConsumerOptions<State>,
  shard: StreamShard,
  held: ReadonlyMap<string, Lease>,
): string | null {
  const states = shard.parents.map((parent) => held.get(parent)?.state).filter((state) => typeof state === "string");
  if (states.length < 2) return states[0] ?? null;
  return JSON.stringify(options.mergeStates(states.map((state) => JSON.parse(state) as State)));
}

async function letGo(leases: LeaseStore, lease: Lease): Promise<void> {
  // Where this fails the lease runs out by itself.
  await leases.release(lease).catch(() => undefined);
}
