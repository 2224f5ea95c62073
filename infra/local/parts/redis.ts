import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { Report } from "../artifacts/artifact.ts";
import { findRedis } from "../artifacts/redis.ts";
import { startProcess } from "../process.ts";
import { logSizeOf, type Part, type PartOptions, pidFileOf, toPart } from "./part.ts";

/** Redis or Valkey with an append-only file: what was acknowledged more than a second ago survives a power cut, all of it a kill. */
export async function startRedis(options: PartOptions, report: Report = () => {}): Promise<Part> {
  const command = await findRedis(report);
  const data = join(options.dir, "data");
  mkdirSync(data, { recursive: true });
  const config = join(options.dir, "redis.conf");
  writeFileSync(config, configuration(data, options.port));
  const logFrom = logSizeOf(options.log);
  const child = await startProcess({
    name: "redis",
    command,
    args: [config],
    log: options.log,
    pidFile: pidFileOf(options.dir),
  });
  return toPart(
    child,
    `redis://127.0.0.1:${options.port}`,
    options,
    (withinMs) => answersPing(options.port, withinMs),
    logFrom,
  );
}

function configuration(data: string, port: number): string {
  const settings = {
    bind: "127.0.0.1",
    port,
    dir: JSON.stringify(data),
    daemonize: "no",
    databases: 256,
    appendonly: "yes",
    "tcp-keepalive": "15",
    appendfsync: "everysec",
    // What a kill cut off at the end of the file is dropped rather than refused.
    "aof-load-truncated": "yes",
    save: '""',
    "maxmemory-policy": "noeviction",
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${value}\n`)
    .join("");
}

/** `+PONG`, and not `-LOADING`. */
function answersPing(port: number, withinMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    socket.setTimeout(withinMs, () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
  });
}
