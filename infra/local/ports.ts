import { randomInt } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LOOPBACK = "127.0.0.1";

/**
 * Below the ports that Linux and macOS give to outgoing connections: one of those may take a port between its being found free and
 * its being listened on, or while what listened on it is being restarted. It may even be the connection of a client that waits for it.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** Ports nobody listens on at the moment; all of one call differ from each other. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let tries = 0; servers.length < count; tries++) {
    if (tries > LAST - FIRST) throw new Error(`there are no ${count} free ports between ${FIRST} and ${LAST}`);
    const server = await listenOn(randomInt(FIRST, LAST)).catch(() => null);
    if (server) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function isPortFree(port: number): Promise<boolean> {
  if (await answers(port)) return false;
  try {
    const server = await listenOn(port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
}

/** Whether something accepts connections there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

/** Asks until the answer is yes. Throws after `timeoutMs`, with what was waited for. */
export async function waitUntil(
  what: string,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
  isHopeless = () => false,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let pauseMs = 20;
  while (!(await isReady().catch(() => false))) {
    if (isHopeless()) throw new Error(`${what}: ended before it was ready`);
    if (Date.now() > deadline) throw new Error(`${what}: not ready after ${timeoutMs / 1000} s`);
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, 250);
  }
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}
