import { mkdirSync } from "node:fs";
import type { Server } from "node:http";

/** `node <script> <folder> <port>`: serves on loopback until SIGTERM or SIGINT. */
export function serveUntilStopped(createServer: (path: string) => Server): void {
  const [path = "", port = ""] = process.argv.slice(2);
  mkdirSync(path, { recursive: true });
  const server = createServer(path);
  server.keepAliveTimeout = 60_000;
  server.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ msg: "ready", port: Number(port) })));
  server.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  const stop = () => {
    // The store is closed first and what was acknowledged lies in it; open connections need not be waited for.
    server.close(() => process.exit(0));
    server.closeAllConnections();
    setTimeout(() => process.exit(0), 3_000).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
