import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { afterEach, beforeEach, expect, test } from "vitest";
import { stackConfig } from "../test/support/stack-config.ts";

const FORM = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n";
let service: ChildProcess;
let port: number;

beforeEach(async () => {
  const config = { ...stackConfig(), LIVORA_API_PORT: 0, LIVORA_LOG_LEVEL: "info" };
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
  const agent = new Agent({ keepAlive: true });
  const [idle] = await once(request({ port, path: "/healthz", agent }).end(), "response");
  idle.resume();
  const half = connect(port, "127.0.0.1");
  half.write(`POST /webhooks/twilio HTTP/1.1\r\nhost: livora\r\nexpect: 100-continue\r\n${FORM}\r\n`);
  // The server has begun to read it.
  expect(String(await once(half, "data"))).toMatch(/^HTTP\/1\.1 100 /);
  const ended = once(service, "exit");
  service.kill("SIGTERM");
  await expect.poll(() => canConnect()).toBe(false);
  half.write("a=b");
  expect(await text(half)).toMatch(/^HTTP\/1\.1 403 /);
  expect((await ended)[0]).toBe(0);
  agent.destroy();
});

async function canConnect(): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const opened = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return opened;
}
