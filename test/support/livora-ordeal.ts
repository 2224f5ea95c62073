import { setTimeout as sleep } from "node:timers/promises";

import type { LivoraTarget } from "./livora.ts";
import { createLedger, type Ledger } from "./oracle.ts";
import { countUnderWay, gatherEvidence, readOutbox } from "./oracle-evidence.ts";
import { type Allowances, type EventFault, judgeEvents } from "./oracle-events.ts";
import { type CampaignStep, judgeMessages, type MessageReport } from "./oracle-messages.ts";
import { connectEdge } from "./oracle-post.ts";
import type { Random } from "./oracle-random.ts";
import { type Behaviour, runShop, type Shopper, type ShopOptions } from "./oracle-shop.ts";

export interface Findings {
  events: EventFault[];
  messages: MessageReport;
  /** What was still under way when waiting ended; null when all had come to rest. */
  unfinished: string | null;
}

/** A shop's traffic against one Livora, and the oracle over all of it: what was found earlier must still hold later. */
export interface Ordeal {
  ledger: Ledger;
  people: Shopper[];
  /** Comes in now; resolves when the last of them has left. */
  visit(behaviours: readonly Behaviour[], options?: Partial<ShopOptions>): Promise<Shopper[]>;
  /** Waits until everything has come to rest, or for `timeoutMs`, and judges. */
  judge(timeoutMs: number): Promise<Findings>;
}

/** Who has no answer by then has found something. */
const GIVE_UP_AFTER_MS = 90_000;
/** A message sent twice by a late retry would come within this. */
export const SETTLE_MS = 1_500;

export function createOrdeal(
  livora: LivoraTarget,
  random: Random,
  steps: readonly CampaignStep[],
  allowances: Allowances = {},
): Ordeal {
  const ledger = createLedger();
  const people: Shopper[] = [];
  const edge = connectEdge(livora.endpoints);

  async function findFaults(): Promise<Findings> {
    const [evidence, outbox, underWay] = await Promise.all([
      gatherEvidence(livora),
      readOutbox(livora.outbox),
      countUnderWay(livora),
    ]);
    const isResting = underWay.runs === 0 && underWay.deliveries === 0;
    return {
      events: judgeEvents(ledger, evidence, allowances),
      messages: judgeMessages(
        people.map((person) => person.record),
        steps,
        outbox,
      ),
      unfinished: isResting ? null : `${underWay.runs} runs, ${underWay.deliveries} deliveries`,
    };
  }

  return {
    ledger,
    people,
    async visit(behaviours, options = {}) {
      const signal = AbortSignal.timeout(GIVE_UP_AFTER_MS);
      const waitForMessage = (channel: string, to: string) => seesMessage(livora, channel, to, signal);
      const shop: ShopOptions = {
        edge,
        client_id: livora.client_id,
        ledger,
        random: random.fork(),
        pauseMs: [50, 500],
        signal,
        waitForMessage,
        ...options,
      };
      const shoppers = await runShop(shop, behaviours);
      people.push(...shoppers);
      return shoppers;
    },
    async judge(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      let trouble: unknown;
      for (;;) {
        const findings = await findFaults().catch((error: unknown) => void (trouble = error));
        if (findings && (isAtRest(findings) || Date.now() > deadline)) break;
        if (Date.now() > deadline + 30_000) throw new Error("the evidence could not be read", { cause: trouble });
        await sleep(500);
      }
      await sleep(SETTLE_MS);
      return findFaults();
    },
  };
}

/** Only what is late can still become right. */
function isAtRest({ events, messages, unfinished }: Findings): boolean {
  const isLate = events.some((fault) => fault.kind === "lost" || fault.kind === "unexplained");
  return unfinished === null && !isLate && !messages.faults.some((fault) => fault.kind === "missing");
}

async function seesMessage(livora: LivoraTarget, channel: string, to: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const found = await readOutbox(livora.outbox, { channel, to }).catch(() => []);
    if (found.length > 0) return true;
    await sleep(100);
  }
  return false;
}
