import type { AddressInfo } from "node:net";

import { readConfig } from "../platform/config.ts";
import { createApiContext } from "./context.ts";
import { createApiServer } from "./server.ts";

/** Those who are being answered when we are told to stop get this long. */
const DRAIN_MS = 10_000;

const config = readConfig();
const api = createApiContext(config);
const server = createApiServer(api);

server.listen(config.LIVORA_API_PORT, config.LIVORA_HOST, () => {
  api.log.info({ port: (server.address() as AddressInfo).port }, "ready");
});
server.once("error", (error) => {
  api.log.error({ err: error }, "cannot listen");
  process.exit(1);
});

function stop(): void {
  server.close(() => void api.close().then(() => process.exit(0)));
  // Connections that are kept alive become idle one by one, as their requests are answered.
  setInterval(() => server.closeIdleConnections(), 100).unref();
  setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
