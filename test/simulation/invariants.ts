import { comparePlaces } from "../../core/position.ts";
import { judgeEquivalence } from "./equivalence.ts";
import { judgeEffects } from "./effects.ts";
import { type Evidence, gatherEvidence } from "./evidence.ts";
import { judgeHistories } from "./histories.ts";
import type { World } from "./world.ts";

/** Something that must never be. */
export interface Violation {
  invariant: "rest" | "conservation" | "order" | "effects" | "equivalence" | "isolation" | "journeys";
  detail: string;
}

/** Every way in which the world at rest contradicts what was offered, answered and promised. */
export async function judge(world: World): Promise<Violation[]> {
  const evidence = gatherEvidence(world);
  return [
    ...judgeConservation(world, evidence),
    ...judgeAnswers(world, evidence),
    ...judgeOrder(world, evidence),
    ...judgeEffects(world, evidence),
    ...judgeIsolation(world, evidence),
    ...(await judgeEquivalence(world)),
    ...world.temporal.failures.map(({ workflowId, reason }): Violation => ({
      invariant: "journeys",
      detail: `workflow ${workflowId} failed: ${reason}`,
    })),
    ...judgeHistories(world.temporal.records).map((detail): Violation => ({ invariant: "journeys", detail })),
  ];
}

const notConserved = (detail: string): Violation => ({ invariant: "conservation", detail });
const notIsolated = (detail: string): Violation => ({ invariant: "isolation", detail });

/** Each copy that lies in the stream is in the lake, dropped or dead: one of them, once; each event once in the lake. */
function judgeConservation({ ledger }: World, evidence: Evidence): Violation[] {
  const lake = Map.groupBy(evidence.lake, (row) => `${row.sequence}:${row.index}`);
  const dropped = Map.groupBy(evidence.dropped, (row) => row.place);
  const dead = Map.groupBy(evidence.dead, (row) => row.place);
  const places = new Set(evidence.copies.map((copy) => copy.place));
  const violations: Violation[] = [];
  for (const { event_id, event_type, place, text } of evidence.copies) {
    const counts = [lake, dropped, dead].map((found) => found.get(place)?.length ?? 0);
    const what = `${event_type} ${event_id} at ${place}`;
    if (counts.reduce((sum, count) => sum + count, 0) !== 1)
      violations.push(notConserved(`${what}: ${counts[0]} times in the lake, ${counts[1]} dropped, ${counts[2]} dead`));
    if (lake.get(place)?.some((row) => row.raw !== text)) violations.push(notConserved(`${what} was altered`));
  }
  for (const row of evidence.lake) {
    if (!places.has(`${row.sequence}:${row.index}`))
      violations.push(notConserved(`${row.event_id} in the lake is nowhere in the stream`));
  }
  for (const [event_id, rows] of Map.groupBy(evidence.lake, (row) => `${row.client_id} ${row.event_id}`)) {
    if (rows.length > 1) violations.push(notConserved(`${event_id} is ${rows.length} times in the lake`));
  }
  const kept = new Set([...evidence.lake, ...evidence.dead].map((row) => row.event_id));
  for (const drop of evidence.dropped) {
    if (drop.reason !== "duplicate") violations.push(notConserved(`${drop.event_id} was dropped: ${drop.reason}`));
    if (!kept.has(drop.event_id)) violations.push(notConserved(`every copy of ${drop.event_id} was dropped`));
  }
  for (const { event_id, stage, reason } of evidence.dead)
    violations.push(notConserved(`${event_id} is dead: ${stage}, ${reason}`));
  const inStream = new Set(evidence.copies.map((copy) => copy.event_id));
  for (const entry of ledger.entries()) {
    if (entry.acknowledgedAt !== null && !inStream.has(entry.event_id))
      violations.push(notConserved(`${entry.event_type} ${entry.event_id} was acknowledged and is not in the stream`));
    if (entry.answers.refused === entry.offers && inStream.has(entry.event_id))
      violations.push(notConserved(`${entry.event_id} was refused and kept all the same`));
  }
  return violations;
}

/** Where `202` says that an event lies, it lies. */
function judgeAnswers({ claims }: World, evidence: Evidence): Violation[] {
  const copies = new Set(evidence.copies.map((copy) => `${copy.event_id} ${copy.place}`));
  return claims
    .filter(({ event_id, sequence, index }) => !copies.has(`${event_id} ${sequence}:${index}`))
    .map(({ event_id, sequence, index }) => ({
      invariant: "conservation",
      detail: `${event_id} was acknowledged at ${sequence}:${index}, where it is not`,
    }));
}

/** A session's events were offered one after the other: so they lie in the lake, and so each consumer gets them. */
function judgeOrder({ ledger }: World, evidence: Evidence): Violation[] {
  const known = evidence.lake.flatMap((row) => {
    const turn = ledger.entry(row.event_id)?.turn ?? null;
    return turn === null ? [] : [{ ...row, turn }];
  });
  return [...Map.groupBy(known, (row) => `${row.client_id} ${row.session_id}`)].flatMap(([session, rows]) => {
    const sorted = rows.toSorted(comparePlaces);
    return [
      ...misplaced(sorted.map((row) => row.turn)).map((turn): Violation => ({
        invariant: "order",
        detail: `turn ${turn} of ${session} lies after a later one in the stream`,
      })),
      ...misplaced(rows.map((row) => row.turn)).map((turn): Violation => ({
        invariant: "order",
        detail: `turn ${turn} of ${session} came to the lake after a later one`,
      })),
    ];
  });
}

function misplaced(turns: readonly number[]): number[] {
  return turns.filter((turn, i) => i > 0 && (turns[i - 1] as number) > turn);
}

/** Nothing of one client is found under another. */
function judgeIsolation({ records, userItems }: World, evidence: Evidence): Violation[] {
  const owner = new Map(
    records.flatMap(({ visitor, addresses }) => Object.values(addresses).map((address) => [address, visitor.client])),
  );
  const ofDelivery = new Map(evidence.deliveries.map((delivery) => [delivery.id, delivery.client_id]));
  const strangers = Object.entries(userItems()).filter(([name, item]) => {
    const client = /^CLIENT#([^#]+)#/.exec(name)?.[1];
    const text = JSON.stringify(item.data ?? null);
    return [...owner].some(([address, of]) => of !== client && text.includes(address));
  });
  return [
    ...evidence.lake
      .filter((row) => (JSON.parse(row.raw) as { client_id: string }).client_id !== row.client_id)
      .map((row) => notIsolated(`${row.event_id} lies in the lake of ${row.client_id}`)),
    ...evidence.effects
      .filter(
        ({ to, client_id, delivery_id }) => owner.get(to) !== client_id || ofDelivery.get(delivery_id) !== client_id,
      )
      .map(({ to, client_id }) => notIsolated(`a message of ${client_id} went to ${to}`)),
    ...evidence.contacts
      .filter(({ email, client_id }) => email !== null && owner.get(email) !== client_id)
      .map(({ email, client_id }) => notIsolated(`${email} is a contact of ${client_id}`)),
    ...strangers.map(([name]) => notIsolated(`the user store's ${name} holds another client's data`)),
  ];
}
