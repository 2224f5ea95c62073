import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

import { sql } from "drizzle-orm";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";

import { connectPostgres } from "./database.ts";

const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
/** CommandComplete, then ready within a transaction. */
const BEGUN = Buffer.concat([
  Buffer.from([0x43, 0, 0, 0, 10]),
  Buffer.from("BEGIN\0"),
  Buffer.from([0x5a, 0, 0, 0, 5, 0x54]),
]);

let server: Server;
let unhandled: unknown[];
let behave: (socket: Socket) => void;
const note = (error: unknown) => void unhandled.push(error);
beforeEach(async () => {
  unhandled = [];
  process.on("unhandledRejection", note);
  behave = breakOff;
  server = createServer((socket) => behave(socket));
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

/** A driver of the released version ends the process here (ADR 19). */
test("who goes on with a transaction whose connection has ended is told so; the next one gets another connection", async () => {
  let connections = 0;
  behave = (socket) => {
    connections++;
    hangUp(socket);
  };
  const { port } = server.address() as AddressInfo;
  const { db, close } = connectPostgres(
    `postgres://someone:secret@127.0.0.1:${port}/any`,
    pino({ level: "silent" }),
    1,
  );
  // A connection whose end has not been heard of yet may still be tried.
  for (let round = 1; round <= 20; round++) {
    const inTransaction = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`).catch(() => undefined);
      await sleep(20);
      await tx.execute(sql`select 2`);
    });
    await expect(inTransaction).rejects.toThrow(/Failed query|CONNECTION_CLOSED/);
    if (connections === 3) break;
  }
  expect(connections).toBe(3);
  await nextTurn();
  expect(unhandled).toEqual([]);
  await close();
});

/** PostgreSQL that begins a transaction and then hangs up. */
function hangUp(socket: Socket): void {
  const answers = [Buffer.concat([AUTHENTICATED, READY]), BEGUN];
  socket.on("error", () => {});
  socket.on("data", () => {
    const answer = answers.shift();
    if (answer) socket.write(answer);
    else socket.end();
  });
}

/** PostgreSQL that lets everyone in and falls over at the first thing it is asked. */
function breakOff(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.write(Buffer.concat([AUTHENTICATED, READY]));
    socket.once("data", () => socket.resetAndDestroy());
  });
}
