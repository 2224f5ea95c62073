/*
 * Our own, because the packages fall short: jstat's and simple-statistics' log-gamma lose digits for large arguments (a
 * Lanczos sum in single steps), neither has digamma, and fmin (Nelder–Mead) has not been touched since its first release.
 */

/** From here on Stirling's series is exact to the last digits of a double. */
const LARGE = 12;
const HALF_LOG_2_PI = 0.918_938_533_204_672_8;

/** The logarithm of Γ(x), for x > 0. */
export function logGamma(x: number): number {
  // Γ(x) = Γ(x + n) / (x (x + 1) … (x + n − 1)): moved to where the series holds.
  let product = 1;
  let at = x;
  for (; at < LARGE; at++) product *= at;
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series =
    inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188)))));
  return (at - 0.5) * Math.log(at) - at + HALF_LOG_2_PI + series - Math.log(product);
}

/** The derivative of `logGamma`, for x > 0. */
export function digamma(x: number): number {
  let sum = 0;
  let at = x;
  for (; at < LARGE; at++) sum += 1 / at;
  const square = 1 / (at * at);
  const series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132)))));
  return Math.log(at) - 0.5 / at - series - sum;
}
