import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { formatApiKey, hashApiKey, prefixOfApiKey } from "../../core/api-key.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { apiKeys, clients } from "../../platform/postgres/schema.ts";
import { type Child, startChild } from "../child.ts";
import type { Load, LoadResult } from "../load/generator.ts";
import { cpuMicrosOf } from "../process-cpu.ts";
import type { Bench } from "../scenario.ts";
import type { EdgeOptions } from "../servers/edge.ts";
import type { FloorOptions } from "../servers/floor.ts";
import type { Usage } from "../servers/meter.ts";

export interface Measured extends LoadResult, Usage {
  /** CPU of the embedded stream; null where it is not in use, or the system does not tell. */
  streamMicros: number | null;
}

/** Something that takes events over HTTP, in a process of its own. */
export interface Contender {
  name: string;
  measure(load: Omit<Load, "target">): Promise<Measured>;
}

export interface Contenders {
  floor: Contender;
  onSink: Contender;
  onStream: Contender;
  stop(): Promise<void>;
}

/** The floor and the edge twice, beside one load generator; all of them run all the time, one is loaded at a time. */
export async function startContenders({ stack }: Bench): Promise<Contenders> {
  const { clientId, token } = await makeClient(stack.config);
  const folder = mkdtempSync(join(tmpdir(), "livora-bench-"));
  const load = await startChild<null, Load, LoadResult>("load/generator.ts", {});
  const children: Child<never, unknown>[] = [load.child];
  const streamCpu = () => cpuMicrosOf(stack.parts.kinesis.pid);
  const start = async (name: string, file: string, options: FloorOptions | EdgeOptions): Promise<Contender> => {
    const { ready: port, child } = await startChild<number, null | object, Usage>(file, options);
    children.push(child);
    const measure = async (wanted: Omit<Load, "target">): Promise<Measured> => {
      await child.ask({});
      const before = streamCpu();
      const result = await load.child.ask({ ...wanted, target: { port, clientId, token } });
      const usage = await child.ask({});
      return { ...result, ...usage, streamMicros: usesStream(options) ? since(before, streamCpu()) : null };
    };
    return { name, measure };
  };
  const { config } = stack;
  return {
    floor: await start("floor: node:http, zod, fdatasync", "servers/floor.ts", { file: join(folder, "floor"), token }),
    onSink: await start("edge on a sink", "servers/edge.ts", { config, onto: "sink" }),
    onStream: await start("edge on the embedded stream", "servers/edge.ts", { config, onto: "stream" }),
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function usesStream(options: FloorOptions | EdgeOptions): boolean {
  return "onto" in options && options.onto === "stream";
}

export function since(before: number | null, now: number | null): number | null {
  return before === null || now === null ? null : now - before;
}

/** A client that may send as much as it can. */
async function makeClient(config: Config): Promise<{ clientId: string; token: string }> {
  const ctx = createContext("bench", config);
  const clientId = "bench";
  const token = formatApiKey(clientId, randomBytes(24));
  const settings = { events_per_second: 10_000_000 };
  await ctx.db.insert(clients).values({ id: clientId, name: clientId, settings }).onConflictDoNothing();
  const key = { client_id: clientId, key_hash: hashApiKey(token), prefix: prefixOfApiKey(token) };
  await ctx.db.insert(apiKeys).values({ ...key, scopes: ["ingest"] });
  await ctx.close();
  return { clientId, token };
}
