import type { Random } from "../support/oracle-random.ts";

/**
 * What goes wrong in a seed. A point fault hits the `nth` call at a point; a timed one happens at a time. Each has a
 * name (`f3`), so that a seed can be run again without it.
 */
export type Fault =
  | { id: string; point: Point; nth: number; kind: CallFault; ms: number }
  | { id: string; atMs: number; kind: TimedFault; target: string; ms: number };

/** Where the outside world is asked for something. */
const POINTS = {
  "put:events": { calls: 20, kinds: ["refused", "partial", "lost", "late", "slow", "dies_before", "dies_after"] },
  "put:enriched": { calls: 20, kinds: ["refused", "partial", "lost", "late", "slow", "dies_before", "dies_after"] },
  "stream:get": { calls: 120, kinds: ["refused", "expired", "slow", "dies_after"] },
  "lease:write": { calls: 60, kinds: ["refused", "lost", "slow", "dies_before", "dies_after"] },
  "store:read": { calls: 40, kinds: ["refused", "slow"] },
  "store:replace": { calls: 60, kinds: ["refused", "lost", "conflict", "slow", "dies_before", "dies_after"] },
  "store:append": { calls: 15, kinds: ["refused", "lost", "slow", "dies_before", "dies_after"] },
  sql: { calls: 150, kinds: ["refused", "lost", "slow", "dies_before", "dies_after"] },
  redis: { calls: 200, kinds: ["refused", "lost", "slow"] },
  temporal: { calls: 8, kinds: ["refused", "lost", "late", "slow", "dies_before", "dies_after"] },
  workflow_task: { calls: 30, kinds: ["refused", "lost", "slow", "dies_before", "dies_after"] },
  activity: { calls: 15, kinds: ["lost", "slow", "dies_before", "dies_after"] },
  "provider:send": {
    calls: 6,
    kinds: ["refused", "rejected", "limited", "lost", "lost_before", "slow", "dies_before", "dies_after"],
  },
  "provider:find": { calls: 2, kinds: ["refused", "blind"] },
  webhook: { calls: 10, kinds: ["doubled", "late", "refused"] },
  answer: { calls: 20, kinds: ["lost", "slow"] },
} as const satisfies Record<string, { calls: number; kinds: readonly string[] }>;

export type Point = keyof typeof POINTS;
export type CallFault = (typeof POINTS)[Point]["kinds"][number];
export type TimedFault = "kill" | "freeze" | "split" | "merge" | "jump" | "pause";

export interface PointFaults {
  /** What goes wrong with this call; null: nothing. */
  at(point: Point): { kind: CallFault; ms: number; id: string } | null;
  /** The faults that have really happened. */
  readonly fired: Set<string>;
}

/** The pipeline's faults stop here, so that everything can come to rest. */
export const FAULTS_UNTIL_MS = 12_000;
const BUSY_UNTIL_MS = 4_000;
const PROCESSES = ["edge", "consumers-1", "consumers-2", "worker-1", "worker-2", "api"] as const;

const STREAMS = ["events", "enriched"] as const;
const TARGETS: Record<TimedFault, readonly [string, ...string[]]> = {
  kill: PROCESSES,
  freeze: PROCESSES,
  split: STREAMS,
  merge: STREAMS,
  jump: STREAMS,
  pause: ["north", "south"],
};

export function drawFaults(random: Random): Fault[] {
  const count = random.pick([0, 1, 2, 3, 4, 6, 8]);
  return Array.from({ length: count }, (_, i) =>
    random.chance(0.35) ? drawTimed(random, `f${i}`) : drawCall(random, `f${i}`),
  );
}

function drawCall(random: Random, id: string): Fault {
  const points = Object.keys(POINTS) as [Point, ...Point[]];
  const point = random.pick(points);
  const { calls, kinds } = POINTS[point];
  const kind = random.pick(kinds as unknown as [CallFault, ...CallFault[]]);
  return { id, point, nth: random.between(1, calls), kind, ms: random.between(50, 4_000) };
}

function drawTimed(random: Random, id: string): Fault {
  const kind = random.pick([
    "kill",
    "kill",
    "freeze",
    "freeze",
    "split",
    "split",
    "merge",
    "jump",
    "pause",
    "pause",
  ] as const);
  const target = random.pick(TARGETS[kind]);
  const ms = kind === "jump" ? random.between(-1_500, 1_500) : random.between(300, 9_000);
  // Shards change while there is something to be put into them.
  const latestMs = kind === "split" || kind === "merge" ? BUSY_UNTIL_MS : FAULTS_UNTIL_MS - 1_500;
  return { id, atMs: random.between(100, latestMs), kind, target, ms };
}

/** Counts the calls at each point. */
export function createPointFaults(faults: readonly Fault[], tell: (line: string) => void): PointFaults {
  const calls = new Map<Point, number>();
  const fired = new Set<string>();
  const planned = faults.filter((fault) => "point" in fault);
  return {
    fired,
    at(point) {
      const nth = (calls.get(point) ?? 0) + 1;
      calls.set(point, nth);
      const fault = planned.find((candidate) => candidate.point === point && candidate.nth === nth);
      if (!fault) return null;
      fired.add(fault.id);
      tell(`${fault.id}: ${point} #${nth} ${fault.kind}`);
      return { kind: fault.kind, ms: fault.ms, id: fault.id };
    },
  };
}

export function describeFault(fault: Fault): string {
  if ("point" in fault) return `${fault.id} ${fault.point} #${fault.nth} ${fault.kind}`;
  return `${fault.id} at ${fault.atMs} ms ${fault.kind} ${fault.target} (${fault.ms} ms)`;
}
