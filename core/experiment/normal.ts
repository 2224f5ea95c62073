import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammainc from "@stdlib/math-base-special-gammainc";

/** How likely a normal variable is at least `z` standard deviations away, on either side: exact far out, too. */
export function twoSidedP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** How many standard deviations away on either side only `alpha` is left: 1.96 for 0.05. */
export function criticalZ(alpha: number): number {
  return Math.SQRT2 * erfcinv(alpha);
}

/** How likely a chi-square variable with so many degrees of freedom is at least `x`. */
export function chiSquareTail(x: number, degreesOfFreedom: number): number {
  return gammainc(x / 2, degreesOfFreedom / 2, true, true);
}
