import { readConfig } from "../platform/config.ts";
import { createContext } from "../platform/context.ts";
import { startIngestServer } from "./server.ts";

/** Longer than the stream's deadline; an orchestrator kills after thirty seconds. */
const DRAIN_MS = 25_000;

const ctx = createContext("ingest", readConfig());
const server = await startIngestServer(ctx);
ctx.log.info({ port: server.port }, "ready");

let isStopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));

async function stop(signal: string): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  ctx.log.info({ signal }, "draining");
  setTimeout(() => {
    ctx.log.error("not drained in time");
    process.exit(1);
  }, DRAIN_MS).unref();
  await server.close();
  await ctx.close();
  ctx.log.info("stopped");
  process.exit(0);
}
