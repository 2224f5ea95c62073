import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { afterEach, beforeEach, expect, inject, test } from "vitest";

let service: ChildProcess;
let port: number;

beforeEach(async () => {
  const config = { ...inject("config"), LIVORA_API_PORT: 0, LIVORA_LOG_LEVEL: "info" };
  const settings = Object.entries(config).map(([name, value]) => [name, String(value)]);
  const env = { ...process.env, ...Object.fromEntries(settings) };
  service = spawn(process.execPath, ["api/main.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of service.stdout!.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes('"msg":"ready"')) break;
  }
  service.stdout!.resume();
  port = Number(/"port":(\d+)/.exec(said)?.[1]);
});
afterEach(() => service.kill("SIGKILL"));

test("told to stop, it answers whom it has begun to serve, and does not wait for the idle", async () => {
  // One connection that is kept alive for nothing, one whose request is only half sent.
  const agent = new Agent({ keepAlive: true });
  const [idle] = await once(request({ port, path: "/healthz", agent }).end(), "response");
  idle.resume();
  const half = connect(port, "127.0.0.1");
  half.write("GET /healthz HTTP/1.1\r\nhost: livora\r\n");
  await expect.poll(() => isServed(half)).toBe(true);
  const ended = once(service, "exit");
  service.kill("SIGTERM");
  await expect.poll(() => canConnect()).toBe(false);
  half.write("connection: close\r\n\r\n");
  expect(await text(half)).toMatch(/^HTTP\/1\.1 200 OK/);
  expect((await ended)[0]).toBe(0);
  agent.destroy();
});

/** The server has taken the connection and seen its first bytes: a second one is answered after it came. */
async function isServed(socket: { pending: boolean }): Promise<boolean> {
  return !socket.pending && (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
}

async function canConnect(): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const opened = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return opened;
}
