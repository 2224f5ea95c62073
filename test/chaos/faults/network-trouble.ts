import { execFile, execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import type { BackingPart } from "../../../infra/local/backing.ts";
import type { WireFault } from "../../support/fault-proxy/wire.ts";
import type { Scenario, Scene } from "../scenario.ts";

const run = promisify(execFile);
const TROUBLE_MS = 8_000;
const FREED_WITHIN_MS = 30_000;

const STORES = ["postgres", "redis", "kinesis", "dynamodb", "temporal"] as const satisfies BackingPart[];

const NAME = "stores.livora.test";

export const networkTrouble: Scenario[] = [
  onWires("refused", "connections to all stores are refused", { kind: "refuse" }),
  onWires("reset", "connections to all stores are reset, new ones too", { kind: "reset" }),
  onWires("half-open", "all stores fall silent in the middle, nobody is told", { kind: "half-open" }),
  onWires("slow", "every piece to and from the stores is 60 ms late", { kind: "slow", delayMs: 60 }),
  inKernel("loss", "20 % of all packets are lost", "numgen random mod 100 < 20 drop"),
  inKernel("black-hole", "all packets to the stores vanish", "drop"),
  inKernel("rst", "the kernel answers the stores' ports with RST", "meta l4proto tcp reject with tcp reset"),
  withoutNames(),
];

function onWires(name: string, fault: string, wireFault: WireFault): Scenario {
  return {
    name: `network-${name}`,
    fault,
    invariant: "nothing lost, nothing doubled; sockets freed within 30 s",
    needs: ["namespace", "procfs"],
    stack: { wires: STORES },
    allowances: { arePutsRepeated: true },
    run: (scene) =>
      suffer(scene, async () => {
        await setAll(scene, wireFault);
        return () => setAll(scene, { kind: "pass" });
      }),
  };
}

async function setAll({ stack }: Scene, fault: WireFault): Promise<void> {
  await Promise.all(STORES.map((store) => stack.wire(store).set(fault)));
}

/** Names are told by a file that lies over `/etc/hosts`, in a mount namespace of our own; there is no name server to be reached. */
function withoutNames(): Scenario {
  let hosts = "";
  const tell = (lines: string) => writeFileSync(hosts, `127.0.0.1 localhost\n${lines}`);
  const known = `127.0.0.1 ${NAME}\n`;
  return {
    name: "network-no-names",
    fault: "the stores' name cannot be resolved, and all connections are reset",
    invariant: "nothing lost, nothing doubled; sockets freed within 30 s",
    needs: ["namespace", "procfs"],
    stack: {
      wires: STORES,
      storesHost: NAME,
      prepare(dir) {
        hosts = join(dir, "hosts");
        tell(known);
        execFileSync("mount", ["--bind", hosts, "/etc/hosts"]);
      },
    },
    allowances: { arePutsRepeated: true },
    run: (scene) =>
      suffer(scene, async () => {
        tell("");
        // Who holds a connection needs no name.
        await setAll(scene, { kind: "reset" });
        await setAll(scene, { kind: "pass" });
        return async () => tell(known);
      }),
  };
}

/** Between the services and the stores themselves, in the kernel of a network namespace of our own. */
function inKernel(name: string, fault: string, verdict: string): Scenario {
  return {
    name: `network-${name}`,
    fault,
    invariant: "nothing lost, nothing doubled; sockets freed within 30 s",
    needs: ["nft", "procfs"],
    allowances: { arePutsRepeated: true },
    run: (scene) =>
      suffer(scene, async () => {
        const ports = STORES.map((store) => scene.stack.ports[store]).join(", ");
        await nft("add table inet chaos");
        await nft("add chain inet chaos out { type filter hook output priority 0; }");
        await nft(`add rule inet chaos out tcp dport { ${ports} } ${verdict}`);
        return () => nft("delete table inet chaos");
      }),
  };
}

async function nft(command: string): Promise<void> {
  await run("nft", [command]);
}

async function suffer(scene: Scene, begin: () => Promise<() => Promise<unknown>>): Promise<void> {
  await scene.letIn(3);
  const lift = await begin();
  void scene.letIn(6);
  await sleep(TROUBLE_MS);
  await lift();
  await scene.recover(Date.now());
  await scene.letIn(3);
  await judgeSockets(scene);
}

async function judgeSockets(scene: Scene): Promise<void> {
  const liftedAtMs = Date.now();
  const ports = new Set(STORES.map((store) => scene.stack.ports[store]));
  let dead = countDeadSockets(ports);
  // Some are always just being closed: they count only if there is no moment without any.
  while (dead > 0 && Date.now() < liftedAtMs + FREED_WITHIN_MS) {
    await sleep(250);
    dead = countDeadSockets(ports);
  }
  if (dead === 0) scene.note(`no dead socket ${((Date.now() - liftedAtMs) / 1000).toFixed(1)} s after recovery`);
  scene.check(dead === 0, `${dead} sockets that lead nowhere are still open 30 s after recovery`);
}

/** As `/proc/net/tcp` has them. */
const ESTABLISHED = "01";
const LISTENING = "0A";

/**
 * Of all in this namespace: those that one of Livora's processes still holds although their other end is gone. How long a store
 * keeps its own end of a connection whose client has vanished without a word is the store's affair.
 */
function countDeadSockets(ports: ReadonlySet<number>): number {
  const lines = readFileSync("/proc/self/net/tcp", "utf8").trim().split("\n").slice(1);
  const sockets = lines.map((line) => {
    const [, local = "", remote = "", state = "", , , , , , inode = "0"] = line.trim().split(/\s+/);
    return { local, remote, state, isHeld: inode !== "0" };
  });
  const held = sockets.filter(({ isHeld, state }) => isHeld && state !== LISTENING);
  const isStores = (address: string) => ports.has(Number.parseInt(address.split(":")[1] ?? "", 16));
  const alive = new Set(
    held.filter(({ state }) => state === ESTABLISHED).map(({ local, remote }) => `${local} ${remote}`),
  );
  const isDead = ({ local, remote, state }: (typeof held)[number]) =>
    state !== ESTABLISHED || !alive.has(`${remote} ${local}`);
  return held.filter((socket) => !isStores(socket.local) && isDead(socket)).length;
}
