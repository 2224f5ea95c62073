import type { Redis } from "ioredis";

import type { Network } from "./network.ts";

type Hash = Map<string, string>;

/** Redis in memory, as far as watermarks, hints, marks and quotas use it; its scripts are known by what they do. */
export interface ModelRedis {
  connect(network: Network): Redis;
}

const failure = (kind: string) => new Error(`Redis: ${kind}`);

export function createModelRedis(): ModelRedis {
  const strings = new Map<string, { value: string; expiresAtMs: number }>();
  const hashes = new Map<string, Hash>();
  const sorted = new Map<string, Map<string, number>>();
  const get = (key: string): string | null => {
    const entry = strings.get(key);
    return entry && entry.expiresAtMs > Date.now() ? entry.value : null;
  };
  const set = (key: string, value: unknown, seconds = Number.POSITIVE_INFINITY) =>
    void strings.set(key, { value: String(value), expiresAtMs: Date.now() + seconds * 1_000 });
  const hashOf = (key: string): Hash => {
    const hash = hashes.get(key) ?? new Map<string, string>();
    hashes.set(key, hash);
    return hash;
  };

  const commands: Record<string, (...args: never[]) => unknown> = {
    set: (key: string, value: unknown, _ex?: "EX", seconds?: number) => set(key, value, seconds),
    zadd(key: string, score: number, member: string) {
      sorted.set(key, (sorted.get(key) ?? new Map<string, number>()).set(member, score));
    },
    zrem: (key: string, member: string) => sorted.get(key)?.delete(member),
    zcount: (key: string, min: number) => [...(sorted.get(key)?.values() ?? [])].filter((score) => score >= min).length,
    pexpire: () => 1,
  };

  const scripts: { mark: string; run(keys: string[], args: string[]): number }[] = [
    {
      mark: "'HDEL'",
      run([key = ""], [open = "0", ...shards]) {
        const hash = hashOf(key);
        for (const shard of shards.slice(0, Number(open))) if (!hash.has(shard)) hash.set(shard, "0");
        for (const shard of shards.slice(Number(open))) hash.delete(shard);
        return 0;
      },
    },
    {
      mark: "'HGET'",
      run([key = ""], [shard = "", time = "0", ...open]) {
        const hash = hashOf(key);
        if (Number(time) > Number(hash.get(shard) ?? "0")) hash.set(shard, time);
        for (const other of open) if (!hash.has(other)) hash.set(other, "0");
        return 0;
      },
    },
    {
      mark: "'INCR'",
      run([mark = "", channel = "", all = ""], [perChannel = "0", inAll = "0"]) {
        if (get(mark) !== null) return 0;
        if (Number(get(channel) ?? "0") >= Number(perChannel)) return 1;
        if (Number(get(all) ?? "0") >= Number(inAll)) return 2;
        for (const key of [channel, all]) set(key, Number(get(key) ?? "0") + 1);
        set(mark, channel);
        return 0;
      },
    },
    {
      mark: "'DECR'",
      run([mark = "", channel = "", all = ""]) {
        if (!strings.delete(mark)) return 0;
        for (const key of [channel, all]) if (get(key) !== null) set(key, Number(get(key)) - 1);
        return 1;
      },
    },
  ];

  function evaluate(script: string, count: number, args: readonly unknown[]): number {
    const known = scripts.find(({ mark }) => script.includes(mark));
    if (!known) throw new Error("a script that is not modelled");
    const texts = args.map(String);
    return known.run(texts.slice(0, count), texts.slice(count));
  }

  function connect(network: Network): Redis {
    const call = <T>(serve: () => T) => network.ask("redis", serve, failure);
    return {
      time: () => call(() => [Math.floor(Date.now() / 1_000), (Date.now() % 1_000) * 1_000]),
      hvals: (key: string) => call(() => [...hashOf(key).values()]),
      mget: (keys: string[]) => call(() => keys.map(get)),
      eval: (script: string, count: number, ...args: unknown[]) => call(() => evaluate(script, count, args)),
      publish: () => call(() => 0),
      pipeline() {
        const queued: (() => unknown)[] = [];
        const pipeline: Record<string, unknown> = {
          exec: () => call(() => queued.map((run) => [null, run()])),
        };
        for (const [name, run] of Object.entries(commands)) {
          pipeline[name] = (...args: never[]) => {
            queued.push(() => run(...args));
            return pipeline;
          };
        }
        return pipeline;
      },
      duplicate: () => ({ on: () => undefined, subscribe: async () => 1, disconnect: () => undefined }),
    } as unknown as Redis;
  }

  return { connect };
}
