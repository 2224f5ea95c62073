import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

import { sql } from "drizzle-orm";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";

import { connectPostgres } from "./database.ts";

const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

let server: Server;
let unhandled: unknown[];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(async () => {
  unhandled = [];
  process.on("unhandledRejection", note);
  server = createServer(breakOff);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  process.off("unhandledRejection", note);
  server.close();
});

test("a connection that breaks at its first question fails whoever asked, not the process", async () => {
  const { port } = server.address() as AddressInfo;
  const { db, close } = connectPostgres(`postgres://someone:secret@127.0.0.1:${port}/any`, pino({ level: "silent" }));
  const asked = db.execute(sql`select 1`);
  await expect(asked).rejects.toThrow("Failed query");
  await nextTurn();
  expect(unhandled).toEqual([]);
  await close();
});

/** PostgreSQL that lets everyone in and falls over at the first thing it is asked. */
function breakOff(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.write(Buffer.concat([AUTHENTICATED, READY]));
    socket.once("data", () => socket.resetAndDestroy());
  });
}
