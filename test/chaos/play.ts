import { setTimeout as sleep } from "node:timers/promises";

import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal, type Ordeal } from "../support/livora-ordeal.ts";
import { queryLake } from "../support/lake-reader.ts";
import { connectEdge, offerUntilAnswered } from "../support/oracle-post.ts";
import { createRandom, type Random } from "../support/oracle-random.ts";
import { chooseBehaviours } from "../support/oracle-shop.ts";
import { inventEvent } from "./invent-event.ts";
import { findObstacle } from "./machine.ts";
import { openReport, type Report, type Scenario, type Scene } from "./scenario.ts";
import { type ChaosStack, startStack } from "./stack.ts";

const DELAYS_MS = [2_500, 4_500] as const;
const REST_WITHIN_MS = 90_000;
const RECOVERY_WITHIN_MS = 60_000;

export interface PlayOptions {
  runs: number;
  seed: number;
  isLong: boolean;
}

interface Interrupt {
  /** Ends the play; its stack is torn down all the same. */
  signal: AbortSignal;
}

/** Plays one scenario on a stack of its own; what goes wrong in doing so is a finding, too. */
export async function play(
  scenario: Scenario,
  { runs, seed, isLong, signal }: PlayOptions & Interrupt,
): Promise<Report> {
  const beganMs = Date.now();
  const report = openReport(scenario, seed);
  report.untried = await findObstacle(scenario.needs ?? []);
  if (report.untried !== null) return report;
  const random = createRandom(seed);
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("interrupted")));
  });
  let stack: ChaosStack | undefined;
  try {
    const chance = random.fork();
    stack = await startStack({ ...scenario.stack, random: chance.next });
    const [whatsapp, email] = scenario.delaysMs ?? DELAYS_MS;
    const steps = [
      { channel: "whatsapp", delayMs: whatsapp },
      { channel: "email", delayMs: email },
    ];
    await pauseOthers(stack);
    await publishCampaign(stack, cartCampaign("chaos-cart", steps));
    const ordeal = createOrdeal(stack, random.fork(), steps, scenario.allowances);
    for (let run = 0; run < runs && report.findings.length === 0; run++) {
      const once = playOnce(scenario, { stack, ordeal, random: random.fork(), isLong }, report);
      await Promise.race([once, interrupted]);
    }
    report.events = ordeal.ledger.entries().length;
    report.people = ordeal.people.length;
  } catch (error) {
    report.findings.push(`could not be played to its end: ${(error as Error).stack ?? String(error)}`);
  } finally {
    await stack?.tearDown();
  }
  report.tookMs = Date.now() - beganMs;
  return report;
}

type Stage = Pick<Scene, "stack" | "ordeal" | "random" | "isLong">;

async function playOnce(scenario: Scenario, stage: Stage, report: Report): Promise<void> {
  const { ordeal } = stage;
  const visitors: Promise<unknown>[] = [];
  const notes: string[] = [];
  const told = stage.stack.reports.length;
  await scenario.run(createScene(stage, report, visitors, notes));
  await Promise.all(visitors);
  const { events, messages, unfinished } = await ordeal.judge(REST_WITHIN_MS);
  report.runs += 1;
  report.notes = notes;
  report.findings.push(
    ...events.map(({ kind, event_id, detail }) => `event ${event_id} ${kind}: ${detail}`),
    ...messages.faults.map(({ kind, detail }) => `message ${kind}: ${detail}`),
    ...stage.stack.reports.slice(told).filter((text) => isCrash(text, scenario.victims ?? [])),
    ...(unfinished === null ? [] : [`still under way: ${unfinished}`]),
  );
}

function createScene(stage: Stage, report: Report, visitors: Promise<unknown>[], notes: string[]): Scene {
  const { stack, ordeal, random } = stage;
  const scene: Scene = {
    ...stage,
    letIn(people, options) {
      const visit = ordeal.visit(chooseBehaviours(random, people), options);
      visitors.push(visit);
      return visit;
    },
    async recover(sinceMs, withinMs = RECOVERY_WITHIN_MS) {
      await probe(stack, ordeal, random, AbortSignal.timeout(withinMs + 30_000));
      const tookMs = Date.now() - sinceMs;
      scene.recovered(tookMs, withinMs);
      return tookMs;
    },
    recovered(ms, withinMs = RECOVERY_WITHIN_MS) {
      report.worstRecoveryMs = Math.max(report.worstRecoveryMs ?? 0, ms);
      scene.check(ms <= withinMs, `recovered after ${ms} ms instead of ${withinMs}`);
    },
    check(holds, otherwise) {
      if (!holds) report.findings.push(otherwise);
    },
    note: (text) => void notes.push(text),
  };
  return scene;
}

/** An event of nobody's, offered until it is taken and then looked for in the lake. */
async function probe(stack: ChaosStack, ordeal: Ordeal, random: Random, signal: AbortSignal): Promise<void> {
  const event = inventEvent({ stack, random });
  const edge = connectEdge(stack.endpoints);
  await offerUntilAnswered(edge, ordeal.ledger, [event], { signal });
  while (!signal.aborted) {
    const rows = await queryLake(
      stack.lake,
      `SELECT 1 FROM events WHERE event_id = '${event.event_id}'`,
      stack.client_id,
    );
    if (rows.length > 0) return;
    await sleep(100);
  }
}

/** A part that nobody killed has no reason to end. */
function isCrash(report: string, victims: readonly string[]): boolean {
  return (
    /ended unexpectedly|did not come back|has not answered/.test(report) &&
    !victims.some((name) => report.startsWith(name))
  );
}
