import type { Evidence } from "./evidence.ts";
import type { Violation } from "./invariants.ts";
import type { Effect } from "./providers.ts";
import { SCHEDULE } from "./scenario.ts";
import type { VisitorRecord } from "./shop.ts";
import type { World } from "./world.ts";

/**
 * Where the edge could not make sure that nothing is under way (it waits two seconds, and says so in its metrics), a
 * message that was being handed over may come out this much later: a mark's life (`platform/sends-under-way.ts`).
 */
const DOCUMENTED_WINDOW_MS = 12_000;

const violation = (detail: string): Violation => ({ invariant: "effects", detail });

/** Each message at most once, none after an acknowledged purchase, none missing without a reason; the ledger knows all. */
export function judgeEffects(world: World, evidence: Evidence): Violation[] {
  const hasJumped = [...world.faults.fired].some((id) => world.jumps.has(id));
  return [
    ...[...Map.groupBy(evidence.effects, (effect) => effect.delivery_id)]
      .filter(([, effects]) => effects.length > 1)
      .map(([id, effects]) => violation(`delivery ${id} went out ${effects.length} times, at ${timesOf(effects)}`)),
    ...judgeLedger(world, evidence),
    ...judgeAnnouncements(evidence),
    ...world.records.flatMap((record) => judgeVisitor(record, evidence, { hasJumped, paused: world.paused })),
  ];
}

/** What the ledger says went out went out, and the other way round. */
function judgeLedger({ providers }: World, { effects, deliveries }: Evidence): Violation[] {
  const sent = new Set(effects.map((effect) => effect.delivery_id));
  const known = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  return [
    ...effects
      .filter(({ delivery_id }) => !["submitted", "delivered"].includes(known.get(delivery_id)?.state ?? ""))
      .map(({ delivery_id }) =>
        violation(`delivery ${delivery_id} went out and is ${known.get(delivery_id)?.state ?? "not in the ledger"}`),
      ),
    ...deliveries
      .filter(({ id, state }) => ["submitted", "delivered"].includes(state) && !sent.has(id))
      .map(({ id, state }) => violation(`delivery ${id} is ${state} and never went out`)),
    ...deliveries
      .filter(({ id, state }) => state === "failed" && !providers.rejected.has(id))
      .map(({ id, reason }) => violation(`delivery ${id} has failed without being refused: ${reason}`)),
    ...deliveries
      .filter(({ state, reason }) => ["skipped", "unknown", "failed"].includes(state) && !reason)
      .map(({ id, state }) => violation(`delivery ${id} is ${state} without a reason`)),
  ];
}

/** What became of a message comes back as an event: each thing once. */
function judgeAnnouncements({ deliveries, lake }: Evidence): Violation[] {
  const told = lake
    .filter((row) => row.event_type === "campaign_delivery")
    .map((row) => (JSON.parse(row.raw) as { props: { delivery_id: string; state: string } }).props)
    .map(({ delivery_id, state }) => `${delivery_id} ${state}`);
  const announced = new Set(told);
  const due = deliveries.flatMap(({ id, history }) =>
    history.filter(({ state }) => !["reserved", "submitting"].includes(state)).map(({ state }) => `${id} ${state}`),
  );
  return [
    ...[...new Set(due)].filter((name) => !announced.has(name)).map((name) => violation(`${name} was never announced`)),
    ...(told.length === announced.size ? [] : [violation("something was announced twice")]),
  ];
}

interface Circumstances {
  hasJumped: boolean;
  paused: ReadonlySet<string>;
}

function judgeVisitor(record: VisitorRecord, evidence: Evidence, circumstances: Circumstances): Violation[] {
  const { hasJumped, paused } = circumstances;
  const { visitor, addresses } = record;
  return SCHEDULE.flatMap(({ channel, delayMs }) => {
    const arrived = evidence.effects.filter((effect) => effect.channel === channel && effect.to === addresses[channel]);
    const what = `${channel} to ${visitor.id}`;
    const violations: Violation[] = [];
    if (record.cartAtMs === null) return arrived.map(() => violation(`${what}, who left no cart`));
    const dueMs = record.cartAtMs + delayMs;
    if (arrived.length > 1)
      violations.push(violation(`${what} arrived ${arrived.length} times, at ${timesOf(arrived)}`));
    const isExcused =
      isExplained(record, channel, evidence) || (paused.has(visitor.client) && !hasEntered(record, evidence));
    if (arrived.length === 0 && isRequired(record, dueMs, hasJumped) && !isExcused)
      violations.push(violation(`${what} is missing; it was due at ${dueMs.toFixed(0)} ms`));
    for (const effect of arrived) {
      // The cart's event was made a moment before its time was noted, and its time is in whole milliseconds.
      if (!hasJumped && effect.elapsedMs < dueMs - 2)
        violations.push(violation(`${what} came ${dueMs - effect.elapsedMs} ms early`));
      const lateMs = lateness(record, effect);
      if (lateMs > 0)
        violations.push(violation(`${what} went out ${lateMs.toFixed(1)} ms after the purchase was acknowledged`));
    }
    return violations;
  });
}

/** How long after the acknowledged purchase, and what is promised about it, a message went out. */
function lateness({ purchase }: VisitorRecord, effect: Effect): number {
  if (!purchase || purchase.acknowledgedAtMs === null) return 0;
  return effect.elapsedMs - purchase.acknowledgedAtMs - (purchase.isHintMissing ? DOCUMENTED_WINDOW_MS : 0);
}

/** A message may be missing where a purchase was offered, or nobody knew in time where to send it. */
function isRequired(record: VisitorRecord, dueMs: number, hasJumped: boolean): boolean {
  if (record.cartAcknowledgedAtMs === null || record.purchase !== null) return false;
  const slackMs = hasJumped ? 2_000 : 0;
  return record.identifiedAtMs !== null && record.identifiedAtMs < dueMs - slackMs;
}

/** While a campaign is held nobody enters; whoever has entered keeps their place. */
function hasEntered({ cart_id, visitor }: VisitorRecord, { runs }: Evidence): boolean {
  return runs.some((run) => run.client_id === visitor.client && run.entry_key === cart_id);
}

/** The provider has refused it, or nobody could find out. */
function isExplained({ cart_id, visitor }: VisitorRecord, channel: string, { deliveries, runs }: Evidence): boolean {
  const own = new Set(
    runs.filter((run) => run.client_id === visitor.client && run.entry_key === cart_id).map((run) => run.id),
  );
  return deliveries.some(
    (delivery) =>
      own.has(delivery.run_id) && delivery.channel === channel && ["failed", "unknown"].includes(delivery.state),
  );
}

function timesOf(effects: readonly Effect[]): string {
  return effects.map((effect) => `${effect.elapsedMs.toFixed(0)} ms`).join(", ");
}
