import { execFile } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import type { BackingPart } from "../../../infra/local/backing.ts";
import { SERVICE_NAMES } from "../../../infra/local/services.ts";
import type { WireFault } from "../../support/fault-proxy/wire.ts";
import type { Scenario, Scene } from "../scenario.ts";

const run = promisify(execFile);
const TROUBLE_MS = 8_000;
/** What a process that was left alone for so long may still hold beyond what it held before. */
const FREED_WITHIN_MS = 30_000;
const ALLOWED_SOCKETS = 12;

const STORES = ["postgres", "redis", "kinesis", "dynamodb", "temporal"] as const satisfies BackingPart[];

export const networkTrouble: Scenario[] = [
  onWires("refused", "connections to all stores are refused", { kind: "refuse" }),
  onWires("reset", "connections to all stores are reset, new ones too", { kind: "reset" }),
  onWires("half-open", "all stores fall silent in the middle, nobody is told", { kind: "half-open" }),
  onWires("slow", "every piece to and from the stores is 60 ms late", { kind: "slow", delayMs: 60 }),
  inKernel("loss", "20 % of all packets are lost", "numgen random mod 100 < 20 drop"),
  inKernel("black-hole", "all packets to the stores vanish", "drop"),
  inKernel("rst", "the kernel answers the stores' ports with RST", "meta l4proto tcp reject with tcp reset"),
];

function onWires(name: string, fault: string, wireFault: WireFault): Scenario {
  return {
    name: `network-${name}`,
    fault,
    invariant: "nothing lost, nothing doubled; sockets freed within 30 s",
    needs: ["procfs"],
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
  const before = countSockets(scene);
  const lift = await begin();
  void scene.letIn(6);
  await sleep(TROUBLE_MS);
  await lift();
  await scene.recover(Date.now());
  await scene.letIn(3);
  await judgeSockets(scene, before);
}

async function judgeSockets(scene: Scene, before: number): Promise<void> {
  const deadline = Date.now() + FREED_WITHIN_MS;
  while (countSockets(scene) > before + ALLOWED_SOCKETS && Date.now() < deadline) await sleep(250);
  const after = countSockets(scene);
  scene.note(`${before} sockets before, ${after} after`);
  scene.check(after <= before + ALLOWED_SOCKETS, `${after} sockets instead of ${before} are still open after 30 s`);
}

/** Of Livora's own processes. */
function countSockets({ stack }: Scene): number {
  const pids = SERVICE_NAMES.map((name) => stack.pidOf(name)).filter((pid) => pid !== null);
  return pids.map(socketsOf).reduce((sum, count) => sum + count, 0);
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => isSocket(`${folder}/${fd}`)).length;
}

function isSocket(link: string): boolean {
  try {
    return readlinkSync(link).startsWith("socket:");
  } catch {
    // Closed meanwhile.
    return false;
  }
}
