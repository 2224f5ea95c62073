import type { Stage, StageKind } from "./pipeline.ts";

/** What one change has made of a deal. */
export interface DealState {
  atMs: number;
  stage: string;
  amount_minor: number | null;
  currency: string | null;
  reason: string | null;
}

/** Minor units by currency. */
export type Amounts = Record<string, number>;

export interface StageCount {
  /** Deals that are in it at the end, and what they are worth then. */
  deals: number;
  amounts: Amounts;
  /** How often a deal came into it, and out of it, within the range. */
  entered: number;
  left: number;
  /** Deals that came into it within the range; of those, which were further on at any time after that. */
  reached: number;
  advanced: number;
  /** How long those that left it within the range had been there, milliseconds. */
  staysMs: number[];
}

export interface PipelineCount {
  /** In the order of the stages. */
  stages: StageCount[];
  created: number;
  open: Sum;
  /** Sum within the range, and still at the end. */
  won: Sum;
  lost: Sum & { reasons: Map<string | null, number> };
  /** What forecasts learn from: moves out of open stages by where to, and the time that deals have been in each stage. */
  moves: number[][];
  exposureMs: number[];
  /** Each deal that is open at the end: in which stage, and its worth. */
  openDeals: { stage: number; amount_minor: number | null; currency: string | null }[];
}

interface Sum {
  deals: number;
  amounts: Amounts;
}

export interface PipelineRange {
  startMs: number;
  /** What happened from then on is not known yet. */
  endMs: number;
  /** From when forecasts learn. */
  learnFromMs: number;
}

/** The time from when a deal came into a stage to when it came into another. */
interface Stay {
  stage: number;
  fromMs: number;
  /** Null for the last one. */
  toMs: number | null;
}

/** Counts deals one by one. `add` takes all states of a deal before `endMs`, in their order; one of no known stage counts nowhere. */
export function createPipelineCount(
  stages: readonly Stage[],
  range: PipelineRange,
): { count: PipelineCount; add(states: readonly DealState[]): void } {
  const places = new Map(stages.map(({ stage }, index) => [stage, index]));
  const kinds = stages.map(({ kind }) => kind);
  const count = emptyCount(stages.length);
  return {
    count,
    add(states) {
      const known = states.filter(({ stage }) => places.has(stage));
      const last = known.at(-1);
      if (last === undefined) return;
      const stays = staysOf(known, places);
      if (isWithin(range, stays[0]!.fromMs)) count.created += 1;
      addStays(count, stays, range);
      addProgress(count, stays, { kinds, range });
      addEnd(count, stays.at(-1)!, last, { kinds, range });
    },
  };
}

function emptyCount(size: number): PipelineCount {
  return {
    stages: Array.from({ length: size }, () => ({ ...nothing(), ...unmoved(), staysMs: [] })),
    created: 0,
    open: nothing(),
    won: nothing(),
    lost: { ...nothing(), reasons: new Map() },
    moves: Array.from({ length: size }, () => Array.from({ length: size }, () => 0)),
    exposureMs: Array.from({ length: size }, () => 0),
    openDeals: [],
  };
}

function nothing(): Sum {
  return { deals: 0, amounts: {} };
}

function unmoved() {
  return { entered: 0, left: 0, reached: 0, advanced: 0 };
}

function staysOf(states: readonly DealState[], places: ReadonlyMap<string, number>): Stay[] {
  const stays: Stay[] = [];
  for (const { stage: key, atMs } of states) {
    const stage = places.get(key)!;
    const before = stays.at(-1);
    if (before?.stage === stage) continue;
    if (before) before.toMs = atMs;
    stays.push({ stage, fromMs: atMs, toMs: null });
  }
  return stays;
}

function addStays(count: PipelineCount, stays: readonly Stay[], range: PipelineRange): void {
  for (const [index, { stage, fromMs, toMs }] of stays.entries()) {
    const counted = count.stages[stage]!;
    if (isWithin(range, fromMs)) counted.entered += 1;
    count.exposureMs[stage]! += Math.max(0, (toMs ?? range.endMs) - Math.max(fromMs, range.learnFromMs));
    if (toMs === null) continue;
    if (toMs >= range.learnFromMs) count.moves[stage]![stays[index + 1]!.stage]! += 1;
    if (!isWithin(range, toMs)) continue;
    counted.left += 1;
    counted.staysMs.push(toMs - fromMs);
  }
}

/** Each stage's first stay within the range, and whether any later one is further on. */
function addProgress(
  count: PipelineCount,
  stays: readonly Stay[],
  { kinds, range }: { kinds: readonly StageKind[]; range: PipelineRange },
): void {
  const seen = new Set<number>();
  for (const [index, { stage, fromMs }] of stays.entries()) {
    if (!isWithin(range, fromMs) || seen.has(stage)) continue;
    seen.add(stage);
    const rank = rankOf(kinds, stage);
    count.stages[stage]!.reached += 1;
    if (stays.slice(index + 1).some((later) => rankOf(kinds, later.stage) > rank)) count.stages[stage]!.advanced += 1;
  }
}

/** Won is further than any open stage, lost is no progress. */
function rankOf(kinds: readonly StageKind[], stage: number): number {
  if (kinds[stage] === "won") return kinds.length;
  return kinds[stage] === "lost" ? -1 : stage;
}

function addEnd(
  count: PipelineCount,
  stay: Stay,
  { amount_minor, currency, reason }: DealState,
  { kinds, range }: { kinds: readonly StageKind[]; range: PipelineRange },
): void {
  const { stage, fromMs } = stay;
  const kind = kinds[stage]!;
  const sums: Sum[] = [count.stages[stage]!];
  if (kind === "open") {
    count.openDeals.push({ stage, amount_minor, currency });
    sums.push(count.open);
  } else if (isWithin(range, fromMs)) {
    sums.push(count[kind]);
    if (kind === "lost") count.lost.reasons.set(reason, (count.lost.reasons.get(reason) ?? 0) + 1);
  }
  for (const sum of sums) {
    sum.deals += 1;
    if (amount_minor !== null && currency !== null) {
      sum.amounts[currency] = (sum.amounts[currency] ?? 0) + amount_minor;
    }
  }
}

function isWithin({ startMs, endMs }: PipelineRange, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}
