import { setTimeout as sleep } from "node:timers/promises";

import type { LivoraTarget } from "./livora.ts";
import { SETTLE_MS } from "./livora-ordeal.ts";
import type { Ledger } from "./oracle.ts";
import { countUnderWay, gatherEvidence, readOutbox } from "./oracle-evidence.ts";
import { type EventFault, judgeEvents } from "./oracle-events.ts";
import { type CampaignStep, judgeMessages, type MessageFault, type ShopperRecord } from "./oracle-messages.ts";

export interface Verdicts {
  events: EventFault[];
  messages: MessageFault[];
  /** Runs and messages that were still under way when waiting ended. */
  unfinished: number;
}

interface Known {
  ledger: Ledger;
  people: readonly ShopperRecord[];
  steps: readonly CampaignStep[];
}

/** What the oracle has against a Livora that others have played with, once there is nothing more or `timeoutMs` have passed. */
export async function judgeAtRest(livora: LivoraTarget, known: Known, timeoutMs: number): Promise<Verdicts> {
  const deadline = Date.now() + timeoutMs;
  let calmSinceMs = Infinity;
  for (;;) {
    const verdicts = await judge(livora, known);
    const isCalm = verdicts.unfinished + verdicts.events.length + verdicts.messages.length === 0;
    calmSinceMs = isCalm ? Math.min(calmSinceMs, Date.now()) : Infinity;
    // What comes twice comes a moment later.
    if (Date.now() - calmSinceMs > SETTLE_MS || Date.now() > deadline) return verdicts;
    await sleep(500);
  }
}

async function judge(livora: LivoraTarget, { ledger, people, steps }: Known): Promise<Verdicts> {
  const [evidence, outbox, { runs, deliveries }] = await Promise.all([
    gatherEvidence(livora),
    readOutbox(livora.outbox),
    countUnderWay(livora),
  ]);
  const { faults } = judgeMessages(people, steps, outbox);
  return { events: judgeEvents(ledger, evidence), messages: faults, unfinished: runs + deliveries };
}
