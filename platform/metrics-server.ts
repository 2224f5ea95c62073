import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Registry } from "prom-client";

/** `GET /metrics` for Prometheus, `/healthz` and `/readyz`, of a service that serves nothing else. */
export async function serveMetrics(
  registry: Registry,
  { host, port, isReady = () => true }: { host: string; port: number; isReady?(): boolean },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    if (request.url === "/healthz") return void response.end("ok\n");
    if (request.url === "/readyz") {
      const ready = isReady();
      return void response.writeHead(ready ? 200 : 503).end(ready ? "ready\n" : "not ready\n");
    }
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    const body = await registry.metrics();
    return void response.setHeader("content-type", registry.contentType).end(body);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
