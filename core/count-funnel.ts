import { allHold } from "./condition.ts";
import type { Funnel } from "./funnel.ts";
import { comparePlaces, type Position } from "./position.ts";

export interface FunnelEvent extends Position {
  /** Of the session or of the person, as the funnel asks. */
  unit: string;
  /** Epoch milliseconds. */
  at: number;
  event_type: string;
  props: Readonly<Record<string, unknown>>;
  source: string | null;
  country: string | null;
  device: string | null;
  cohort: string | null;
  /** All that the event is about. */
  products: readonly string[];
  categories: readonly string[];
}

interface FunnelCounts {
  /** Units by step. */
  steps: number[];
  /** The same of each group. Of events that do not say where they come from, the key is null. */
  groups: Map<string | null, number[]>;
}

interface Chain {
  unit: string;
  key: string | null;
  /** How many steps it goes. */
  length: number;
}

/**
 * What a funnel means, tried out chain by chain: slow, and there to hold what is fast against it. Anchors lie in [start, end),
 * epoch milliseconds; what follows them may lie after `end`.
 */
export function countFunnel(
  funnel: Funnel,
  events: readonly FunnelEvent[],
  range: { start: number; end: number },
): FunnelCounts {
  const { product_id, group_by } = funnel;
  const asked = product_id === undefined ? events : events.filter((event) => event.products.includes(product_id));
  const groups = group_by === undefined ? [] : findChains(funnel, asked, range);
  return {
    steps: countUnits(funnel, findChains({ ...funnel, group_by: undefined }, asked, range)),
    groups: new Map(
      [...Map.groupBy(groups, ({ key }) => key)].map(([key, chains]) => [key, countUnits(funnel, chains)]),
    ),
  };
}

function findChains(funnel: Funnel, events: readonly FunnelEvent[], range: { start: number; end: number }): Chain[] {
  const anchors = events.filter(
    (event) => event.at >= range.start && event.at < range.end && isOfStep(funnel, 0, event),
  );
  return anchors.flatMap((anchor) => {
    const until = anchor.at + funnel.window_ms;
    const inTime = events.filter((event) => event.unit === anchor.unit && event.at <= until);
    return keysOf(funnel, anchor).map((key) => {
      const alike = isOfChain(funnel) ? inTime.filter((event) => keysOf(funnel, event).includes(key)) : inTime;
      return { unit: anchor.unit, key, length: follow(funnel, alike, 1, anchor) };
    });
  });
}

/** The longest of all chains that go on after an event. */
function follow(funnel: Funnel, events: readonly FunnelEvent[], step: number, before: FunnelEvent): number {
  if (step === funnel.steps.length) return step;
  const next = events.filter((event) => compareEvents(event, before) > 0 && isOfStep(funnel, step, event));
  return Math.max(step, ...next.map((event) => follow(funnel, events, step + 1, event)));
}

function isOfStep({ steps }: Funnel, step: number, { event_type, props }: FunnelEvent): boolean {
  const wanted = steps[step]!;
  return event_type === wanted.event_type && allHold(wanted.conditions, props);
}

function isOfChain({ group_by }: Funnel): boolean {
  return group_by === "product" || group_by === "category";
}

/** The groups in which an event may begin a chain. */
function keysOf({ group_by }: Funnel, event: FunnelEvent): readonly (string | null)[] {
  if (group_by === undefined) return [null];
  if (group_by === "product") return event.products;
  return group_by === "category" ? event.categories : [event[group_by]];
}

function countUnits({ steps }: Funnel, chains: readonly Chain[]): number[] {
  return steps.map((_, step) => new Set(chains.filter(({ length }) => length > step).map(({ unit }) => unit)).size);
}

function compareEvents(a: FunnelEvent, b: FunnelEvent): number {
  return a.at - b.at || comparePlaces(a, b) || (a.shard < b.shard ? -1 : a.shard > b.shard ? 1 : 0);
}
