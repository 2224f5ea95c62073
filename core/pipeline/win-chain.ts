import { DAY_MS } from "../time.ts";
import type { PipelineCount } from "./count-stages.ts";
import type { Stage } from "./pipeline.ts";

/** A stage's default probability counts as much as this many deals that were seen. */
const PRIOR_DEALS = 4;
/** Before any deal was seen to leave a stage it is taken to last this long, as one deal's worth of experience. */
const PRIOR_STAY_MS = 30 * DAY_MS;

/** Of a stage: what becomes of deals that are in it. */
export interface StageOutlook {
  /** Of being won, sooner or later. 1 and 0 of closed stages. */
  win: number;
  /** Of being won within the horizon. */
  winWithin: number;
  /** How many deals' worth of experience stand behind it. */
  strength: number;
  /** How many moves out of it were seen. */
  seen: number;
}

/**
 * A Markov chain over the stages, won and lost absorbing. With n(s→t) moves seen out of stage s, n(s) of them in all, and κ =
 * PRIOR_DEALS further ones of which the share p(s), its default probability, went straight to won and the rest to lost:
 *
 *     P(s→t) = (n(s→t) + κ·(p(s) if t is won, 1 − p(s) if t is lost)) / (n(s) + κ)
 *     win(s) = Σ P(s→t)·win(t),  win(won) = 1,  win(lost) = 0
 *
 * so with one open stage win(s) is the mean of Beta(κp + wins, κ(1 − p) + losses). A stage is left at the rate λ(s) = (n(s) + 1)
 * / (time that deals were in it + PRIOR_STAY_MS), whatever it was before: deals that are still in it count with their time.
 * `winWithin` is the chance of being in won after the horizon: the last column of exp(Q·horizon) with Q(s→t) = λ(s)·P(s→t).
 */
export function learnChain(
  stages: readonly Stage[],
  { moves, exposureMs }: Pick<PipelineCount, "moves" | "exposureMs">,
  horizonMs: number,
): StageOutlook[] {
  const open = stages.flatMap(({ kind }, index) => (kind === "open" ? [index] : []));
  const seen = moves.map((row) => row.reduce((sum, n) => sum + n, 0));
  const strength = seen.map((n) => n + PRIOR_DEALS);
  const chanceOf = (from: number, to: number) => moves[from]![to]! / strength[from]!;
  const wins = open.map((from) => {
    const straight = stages.reduce((sum, { kind }, to) => (kind === "won" ? sum + moves[from]![to]! : sum), 0);
    return (straight + PRIOR_DEALS * stages[from]!.probability) / strength[from]!;
  });
  const chain = open.map((from) => open.map((to) => chanceOf(from, to)));
  const everWon = solve(
    chain.map((row, i) => row.map((chance, j) => (i === j ? 1 : 0) - chance)),
    wins,
  );
  const rates = open.map((from) => (seen[from]! + 1) / (exposureMs[from]! + PRIOR_STAY_MS));
  const wonInTime = absorbed(chain, wins, rates, horizonMs);
  return stages.map(({ kind }, index) => {
    const at = open.indexOf(index);
    const closed = kind === "won" ? 1 : 0;
    const win = at < 0 ? closed : clamp(everWon[at]!);
    const winWithin = at < 0 ? closed : Math.min(win, clamp(wonInTime[at]!));
    return { win, winWithin, strength: strength[index]!, seen: seen[index]! };
  });
}

/** Gauss. Every row's diagonal is larger than the rest of it together, so nothing need be exchanged. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (const [i, pivot] of rows.entries()) {
    for (const row of rows.slice(i + 1)) {
      const factor = row[i]! / pivot[i]!;
      for (let k = i; k < row.length; k++) row[k]! -= factor * pivot[k]!;
    }
  }
  const solution: number[] = right.map(() => 0);
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    const rest = solution.reduce((sum, value, k) => (k > i ? sum + row[k]! * value : sum), 0);
    solution[i] = (row.at(-1)! - rest) / row[i]!;
  }
  return solution;
}

/** By stage: of being won after that time, in a chain that leaves each at its rate. */
function absorbed(
  chain: readonly (readonly number[])[],
  wins: readonly number[],
  rates: readonly number[],
  timeMs: number,
): number[] {
  const generator = chain.map((row, i) => {
    const leaving = row.map((chance, j) => (chance - (i === j ? 1 : 0)) * rates[i]! * timeMs);
    return [...leaving, wins[i]! * rates[i]! * timeMs];
  });
  const exponential = exponentialOf([...generator, Array.from({ length: chain.length + 1 }, () => 0)]);
  return chain.map((_, i) => exponential[i]!.at(-1)!);
}

type Matrix = number[][];

/** Of a part so small that Taylor's series is exact after a few terms, then squared until it is the whole. */
function exponentialOf(matrix: Matrix): Matrix {
  const norm = Math.max(...matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  const halvings = Math.max(0, Math.ceil(Math.log2(norm + Number.MIN_VALUE)) + 1);
  const part = matrix.map((row) => row.map((value) => value / 2 ** halvings));
  let term = identity(matrix.length);
  let sum = term;
  for (let k = 1; k <= 16; k++) {
    term = multiply(term, part).map((row) => row.map((value) => value / k));
    sum = sum.map((row, i) => row.map((value, j) => value + term[i]![j]!));
  }
  for (let k = 0; k < halvings; k++) sum = multiply(sum, sum);
  return sum;
}

function identity(size: number): Matrix {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => (i === j ? 1 : 0)));
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const product = row.map(() => 0);
    for (const [k, factor] of row.entries()) {
      if (factor !== 0) for (const [j, value] of b[k]!.entries()) product[j]! += factor * value;
    }
    return product;
  });
}

function clamp(chance: number): number {
  return Math.min(1, Math.max(0, chance));
}
