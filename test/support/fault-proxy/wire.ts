import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a wire does to whoever is connected through it.
 *
 * - `refuse`: nobody listens; `reset`: whoever connects is thrown out. Both throw out those who are connected.
 * - `half-open`: whatever is said, by either side, is swallowed; nobody is told.
 * - `slow`: each piece is late by `delayMs`. `stalls`: as after a lost packet, one piece in `1 / chance` waits `delayMs`.
 * - `garble`: one answer in `1 / chance` has a wrong byte.
 * - `lose-answers`: requests arrive and are carried out; one answer in `1 / chance` is swallowed, and the connection with it.
 */
export type WireFault =
  | { kind: "pass" | "refuse" | "reset" | "half-open" }
  | { kind: "slow"; delayMs: number }
  | { kind: "stalls"; delayMs: number; chance: number }
  | { kind: "garble" | "lose-answers"; chance: number };

/** A wire to a server; what it carries is not looked at. */
export interface Wire {
  port: number;
  /** From now on, also for connections that stand. */
  set(fault: WireFault): Promise<void>;
  /** How often a connection was thrown out or a piece was delayed, swallowed or spoiled. */
  met(): number;
  /** Connections that stand. */
  open(): number;
  close(): Promise<void>;
}

const PASS: WireFault = { kind: "pass" };

/** `random` decides where a fault has a chance: what is drawn from a seed can be drawn again. */
export async function startWire(
  target: { host: string; port: number },
  { random = Math.random, port = 0 }: { random?: () => number; port?: number } = {},
): Promise<Wire> {
  const pairs = new Set<Pair>();
  let fault = PASS;
  let met = 0;
  const rules: Rules = {
    fault: () => fault,
    random,
    meet: () => void met++,
  };
  const server = createServer((near) => {
    if (fault.kind === "reset") {
      met++;
      return void near.resetAndDestroy();
    }
    const pair = { near, far: connect(target) };
    pairs.add(pair);
    near.once("close", () => pairs.delete(pair));
    carry(pair, near, pair.far, rules, false);
    carry(pair, pair.far, near, rules, true);
  });
  await listen(server, port);
  const address = (server.address() as AddressInfo).port;
  const cutAll = () => {
    for (const pair of pairs) {
      met++;
      cut(pair);
    }
  };
  return {
    port: address,
    async set(next) {
      const isListening = server.listening;
      fault = next;
      if (next.kind === "refuse" || next.kind === "reset") cutAll();
      if (next.kind === "refuse" && isListening) await new Promise((resolve) => server.close(resolve));
      if (next.kind !== "refuse" && !isListening) await listen(server, address);
      // What was swallowed meanwhile cannot be said again: whoever goes on talks to nobody.
      if (next.kind === "pass") for (const pair of pairs) if (pair.isTorn) cut(pair);
    },
    met: () => met,
    open: () => pairs.size,
    async close() {
      cutAll();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Pair {
  near: Socket;
  far: Socket;
  /** Something that one side said never reached the other. */
  isTorn?: boolean;
}

interface Rules {
  fault(): WireFault;
  random(): number;
  meet(): void;
}

/** One direction, a piece after the other: what is late keeps those behind it waiting. */
function carry(pair: Pair, from: Socket, to: Socket, rules: Rules, isAnswer: boolean): void {
  let last: Promise<void> = Promise.resolve();
  from.on("data", (piece: Buffer) => {
    from.pause();
    last = last.then(() => pass(piece)).finally(() => from.resume());
  });
  from.on("error", () => {});
  from.on("end", () => void last.then(() => pair.isTorn || to.end()));
  from.on("close", () => void last.then(() => pair.isTorn || to.destroy()));

  async function pass(piece: Buffer): Promise<void> {
    const fault = rules.fault();
    switch (fault.kind) {
      case "half-open":
        pair.isTorn = true;
        return rules.meet();
      case "slow":
        await sleep(fault.delayMs);
        break;
      case "stalls":
        if (rules.random() >= fault.chance) break;
        rules.meet();
        await sleep(fault.delayMs);
        break;
      case "garble":
        if (!isAnswer || rules.random() >= fault.chance) break;
        rules.meet();
        piece = spoil(piece, rules.random());
        break;
      case "lose-answers":
        if (!isAnswer || rules.random() >= fault.chance) break;
        rules.meet();
        return cut(pair);
    }
    if (!to.write(piece)) await Promise.race([once(to, "drain"), once(to, "close")]);
  }
}

function once(socket: Socket, event: "drain" | "close"): Promise<void> {
  return socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once(event, () => resolve()));
}

function spoil(piece: Buffer, where: number): Buffer {
  const spoilt = Buffer.from(piece);
  const at = Math.floor(where * spoilt.length);
  spoilt[at] = (spoilt[at] ?? 0) ^ 0xff;
  return spoilt;
}

function cut({ near, far }: Pair): void {
  near.resetAndDestroy();
  far.resetAndDestroy();
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
