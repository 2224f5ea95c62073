/** A function and its gradient at one point. */
export interface Slope {
  value: number;
  gradient: number[];
}

export interface Minimum {
  at: number[];
  value: number;
  /** False where it gave up while the ground was still sloping. */
  converged: boolean;
}

const FLAT = 1e-9;
const MOST_ITERATIONS = 500;
/** Armijo's: what of the slope a step must have gained to be taken. */
const ENOUGH = 1e-4;
/** Values that differ by less are the same. */
const ROUNDING = 1e-14;
/** So many steps in a row that gain next to nothing, and there is nothing more to be had: a ridge without an end, or the last digit. */
const STALLS = 5;
const NEXT_TO_NOTHING = 1e-12;

/**
 * BFGS with a line search that halves, for smooth functions of a few variables whose gradient is known. Deterministic: the
 * same start gives the same minimum to the last bit. Where the function is not finite it counts as too high.
 */
export function minimise(evaluate: (at: readonly number[]) => Slope, start: readonly number[]): Minimum {
  let at = [...start];
  let here = evaluate(at);
  let inverse = identity(at.length, 1);
  let isFresh = true;
  let stalls = 0;
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    if (isFlat(here.gradient)) return { at, value: here.value, converged: true };
    const direction = inverse.map((row) => -dot(row, here.gradient));
    const found = searchAlong(evaluate, at, here, direction);
    if (found === undefined) {
      // Rounding has made the curvature worthless: once more from the plain slope, else this is as low as doubles go.
      if (isFresh) return { at, value: here.value, converged: isNearlyFlat(here.gradient) };
      inverse = identity(at.length, 1);
      isFresh = true;
      continue;
    }
    stalls = here.value - found.slope.value <= NEXT_TO_NOTHING * Math.abs(here.value) ? stalls + 1 : 0;
    if (stalls === STALLS)
      return { at: found.at, value: found.slope.value, converged: isNearlyFlat(found.slope.gradient) };
    const step = found.at.map((x, i) => x - at[i]!);
    const bend = found.slope.gradient.map((g, i) => g - here.gradient[i]!);
    const curvature = dot(step, bend);
    if (curvature > 1e-14 * Math.sqrt(dot(step, step) * dot(bend, bend))) {
      if (isFresh) inverse = identity(at.length, curvature / dot(bend, bend));
      inverse = updateInverse(inverse, step, bend, curvature);
      isFresh = false;
    }
    [at, here] = [found.at, found.slope];
  }
  return { at, value: here.value, converged: isNearlyFlat(here.gradient) };
}

function searchAlong(
  evaluate: (at: readonly number[]) => Slope,
  at: readonly number[],
  here: Slope,
  direction: readonly number[],
): { at: number[]; slope: Slope } | undefined {
  const descent = dot(direction, here.gradient);
  if (!(descent < 0)) return undefined;
  // No step of more than 2 in any variable at once: they are logarithms here.
  const longest = Math.max(...direction.map(Math.abs));
  for (let length = Math.min(1, 2 / longest); length * longest > 1e-15; length /= 2) {
    const to = at.map((x, i) => x + length * direction[i]!);
    const slope = evaluate(to);
    if (!slope.gradient.every(Number.isFinite)) continue;
    // Next to the bottom the value is all rounding, and the gradient alone still tells which way is down.
    const isSame = slope.value <= here.value + ROUNDING * Math.abs(here.value) && isFlatter(slope, here);
    if (isSame || slope.value <= here.value + ENOUGH * length * descent) return { at: to, slope };
  }
  return undefined;
}

/** (I − s yᵀ/ys) H (I − y sᵀ/ys) + s sᵀ/ys. */
function updateInverse(
  inverse: readonly number[][],
  step: readonly number[],
  bend: readonly number[],
  curvature: number,
): number[][] {
  const bent = inverse.map((row) => dot(row, bend));
  const factor = (1 + dot(bend, bent) / curvature) / curvature;
  return inverse.map((row, i) =>
    row.map((h, j) => h + factor * step[i]! * step[j]! - (bent[i]! * step[j]! + step[i]! * bent[j]!) / curvature),
  );
}

const isFlatter = (one: Slope, other: Slope) => dot(one.gradient, one.gradient) < dot(other.gradient, other.gradient);
const isFlat = (gradient: readonly number[]) => gradient.every((g) => Math.abs(g) < FLAT);
const isNearlyFlat = (gradient: readonly number[]) => gradient.every((g) => Math.abs(g) < 1_000 * FLAT);

function identity(size: number, scale: number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? scale : 0)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
