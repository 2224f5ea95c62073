/** How fine, and how far to either side: with a step this size the rule is exact to twelve digits for what we integrate. */
const STEP = 1 / 16;
const NODES = 160;

/**
 * The mean of f(p) for p distributed as Beta(a, b), by the trapezoidal rule over the log-odds of p, stretched so that the
 * weights fall off doubly exponentially on both sides. f must be smooth and bounded on (0, 1).
 */
export function meanOverBeta(f: (p: number) => number, a: number, b: number): number {
  const centre = Math.log(a / b);
  const width = Math.sqrt(1 / a + 1 / b);
  const logWeight = (odds: number) => a * logLogistic(odds) + b * logLogistic(-odds);
  const peak = logWeight(centre);
  let [sum, weights] = [0, 0];
  for (let i = -NODES; i <= NODES; i++) {
    const odds = centre + width * Math.sinh(i * STEP);
    const weight = Math.exp(logWeight(odds) - peak) * Math.cosh(i * STEP);
    if (weight === 0) continue;
    weights += weight;
    sum += weight * f(Math.exp(logLogistic(odds)));
  }
  return sum / weights;
}

/** ln(1 / (1 + e^−x)). */
function logLogistic(x: number): number {
  return x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x));
}
