import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { addClient } from "../../support/livora-client.ts";
import type { LivoraTarget } from "../../support/livora.ts";
import { connectEdge, offerOnce } from "../../support/oracle-post.ts";
import { inventEvent } from "../invent-event.ts";
import type { Scenario, Scene } from "../scenario.ts";

const PHASE_MS = 10_000;
const BOMB = gzipSync(Buffer.alloc(200 * 1024 * 1024));
const POISON = [
  Buffer.from("["),
  Buffer.from(`[${"[".repeat(100_000)}`),
  Buffer.from(JSON.stringify([{ event_id: "x".repeat(10_000) }])),
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from(`[{"props":{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":${i}`).join(",")}}}]`),
];

/** One client misbehaves as well as it can; what another one, beside it, has to wait for is measured before and during. */
export const poison: Scenario = {
  name: "poison",
  fault: "poison bodies and gzip bombs from one client, beside a healthy one",
  invariant: "the healthy one's events as always; its p99 is measured, not judged",
  async run(scene) {
    const bad = await addClient(scene.stack, `bad-${scene.random.uuid().slice(0, 8)}`);
    // People are about in both phases: what they cost this process, which measures, is in both figures.
    void scene.letIn(6);
    const calm = await measure(scene);
    const over = new AbortController();
    const attacks = [attackWith(bad, [BOMB], true, over.signal), attackWith(bad, POISON, false, over.signal)];
    void scene.letIn(6);
    const beset = await measure(scene);
    over.abort();
    const [bombs = [], poisoned = []] = await Promise.all(attacks);
    await scene.recover(Date.now());
    scene.note(
      `p99 ${calm.p99.toFixed(0)} → ${beset.p99.toFixed(0)} ms (${(beset.p99 / calm.p99).toFixed(1)} ×), median ${calm.median.toFixed(0)} → ` +
        `${beset.median.toFixed(0)} ms; ${bombs.length} bombs, ${poisoned.length} poison bodies`,
    );
    const refusals = new Set([...bombs, ...poisoned]);
    scene.check(
      [...refusals].every((status) => status >= 400 && status < 500),
      `what is poison was answered ${[...refusals].join(", ")}`,
    );
  },
};

/** Forty requests a second, whatever the last one took. */
async function measure(scene: Scene): Promise<{ median: number; p99: number }> {
  const tookMs: number[] = [];
  const asked: Promise<void>[] = [];
  for (const untilMs = Date.now() + PHASE_MS; Date.now() < untilMs; await sleep(25)) {
    asked.push(offerTimed(scene, tookMs));
  }
  await Promise.all(asked);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { median: at(0.5), p99: at(0.99) };
}

async function offerTimed(scene: Scene, tookMs: number[]): Promise<void> {
  const beganMs = performance.now();
  await offerOnce(connectEdge(scene.stack.endpoints), scene.ordeal.ledger, [inventEvent(scene)]);
  tookMs.push(performance.now() - beganMs);
}

/** As fast as it is answered. */
async function attackWith(
  { endpoints }: LivoraTarget,
  bodies: readonly Buffer[],
  isZipped: boolean,
  signal: AbortSignal,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; !signal.aborted; i++) {
    const response = await fetch(`${endpoints.ingest}/v1/events`, {
      method: "POST",
      body: new Uint8Array(bodies[i % bodies.length] ?? Buffer.of()),
      headers: {
        authorization: `Bearer ${endpoints.api_key}`,
        "x-client-id": endpoints.client_id,
        "content-type": "application/json",
        ...(isZipped && { "content-encoding": "gzip" }),
      },
    }).catch(() => null);
    // A connection that is cut in the middle of a body is a refusal too.
    statuses.push(response?.status ?? 499);
    await response?.arrayBuffer().catch(() => undefined);
    await sleep(20);
  }
  return statuses;
}
