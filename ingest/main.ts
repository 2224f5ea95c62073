import { readConfig } from "../platform/config.ts";
import { createContext } from "../platform/context.ts";
import { drainOnSignal } from "../platform/drain.ts";
import { startIngestServer } from "./server.ts";

const ctx = createContext("ingest", readConfig());
const server = await startIngestServer(ctx);
ctx.log.info({ port: server.port }, "ready");

drainOnSignal(ctx.log, async () => {
  await server.close();
  await ctx.close();
});
