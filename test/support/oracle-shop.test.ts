import { expect, it } from "vitest";

import { createLedger, type OfferedEvent } from "./oracle.ts";
import { judgeEvents, type LakeRow } from "./oracle-events.ts";
import { judgeMessages } from "./oracle-messages.ts";
import type { Edge } from "./oracle-post.ts";
import { createRandom } from "./oracle-random.ts";
import { BEHAVIOURS, chooseBehaviours, runShop, type Shopper } from "./oracle-shop.ts";

/** An edge in memory that loses answers: what it took, and whether it says so, are two questions. */
function createForgetfulSystem(seed: number, spoil: (row: LakeRow) => LakeRow[] = (row) => [row]) {
  const random = createRandom(seed);
  const lake = new Map<string, LakeRow[]>();
  const dropped: { event_id: string; stage: string; reason: string }[] = [];
  let sequence = 0;
  const take = (events: readonly OfferedEvent[]) => {
    sequence++;
    for (const [index, { event_id, session_id, event_type, text }] of events.entries()) {
      if (lake.has(event_id)) dropped.push({ event_id, stage: "dedupe", reason: "duplicate" });
      else
        lake.set(event_id, spoil({ event_id, session_id, event_type, raw: text, sequence: String(sequence), index }));
    }
  };
  const edge: Edge = async (events) => {
    if (random.chance(0.2)) return "unknown";
    take(events);
    return random.chance(0.2) ? "unknown" : "ok";
  };
  return { edge, evidence: () => ({ lake: [...lake.values()].flat(), dropped, deadLetters: [] }) };
}

async function visit(
  seed: number,
  edge: Edge,
): Promise<{ ledger: ReturnType<typeof createLedger>; people: Shopper[] }> {
  const ledger = createLedger();
  const random = createRandom(seed);
  const signal = AbortSignal.timeout(10_000);
  const people = await runShop(
    {
      edge,
      client_id: "c",
      ledger,
      random,
      pauseMs: [0, 1],
      retryAfterMs: 1,
      signal,
      waitForMessage: () => Promise.resolve(false),
    },
    chooseBehaviours(random, BEHAVIOURS.length * 2),
  );
  return { ledger, people };
}

it("is content with a system that loses answers but nothing else, whatever the seed", async () => {
  for (const seed of [1, 2, 3]) {
    const system = createForgetfulSystem(seed);
    const { ledger, people } = await visit(seed, system.edge);
    expect(judgeEvents(ledger, system.evidence())).toEqual([]);
    expect(ledger.entries().some((entry) => entry.answers.unknown > 0)).toBe(true);
    expect(ledger.entries().every((entry) => entry.acknowledgedAt !== null)).toBe(true);
    expect(people.map((person) => person.behaviour).toSorted()).toEqual([...BEHAVIOURS, ...BEHAVIOURS].toSorted());
  }
});

it("finds one purchase that is lost, and one that is doubled, among all the others", async () => {
  for (const [copies, kind] of [
    [0, "lost"],
    [2, "doubled"],
  ] as const) {
    let isSpoilt = false;
    const system = createForgetfulSystem(4, (row) => {
      if (isSpoilt || row.event_type !== "purchase") return [row];
      isSpoilt = true;
      return Array.from({ length: copies }, () => row);
    });
    const { ledger } = await visit(4, system.edge);
    expect(judgeEvents(ledger, system.evidence()).map((fault) => fault.kind)).toContain(kind);
  }
});

it("knows who is owed a message: those who left a cart and did not buy", async () => {
  const { people } = await visit(5, async () => "ok");
  const { faults } = judgeMessages(
    people.map((person) => person.record),
    [{ channel: "email", delayMs: 60_000 }],
    [],
  );
  const owed = people.filter(
    ({ behaviour, record }) => record.cartAt !== null && record.purchase === null && behaviour !== "browses",
  );
  expect(faults.map((fault) => fault.to).toSorted()).toEqual(
    owed.map(({ record }) => record.addresses["email"]).toSorted(),
  );
  expect(owed.length).toBeGreaterThan(0);
});
