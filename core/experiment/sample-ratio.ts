import { chiSquareTail } from "./normal.ts";

/** Below it the split is not what was declared: a thousandth, because it is looked at every day. */
const MISMATCH_P = 0.001;

export interface SampleRatio {
  chi_square: number;
  p_value: number;
  /** False: people are lost, or sent astray, by variant, and no difference can be trusted. */
  is_ok: boolean;
}

/** Pearson's chi-square of how many were seen in each variant against the declared split. */
export function checkSampleRatio(variants: readonly { persons: number; share: number }[]): SampleRatio {
  const persons = variants.reduce((sum, one) => sum + one.persons, 0);
  const shares = variants.reduce((sum, one) => sum + one.share, 0);
  if (persons === 0) return { chi_square: 0, p_value: 1, is_ok: true };
  const chi_square = variants.reduce((sum, one) => {
    const expected = (persons * one.share) / shares;
    return sum + (one.persons - expected) ** 2 / expected;
  }, 0);
  const p_value = chiSquareTail(chi_square, variants.length - 1);
  return { chi_square, p_value, is_ok: p_value >= MISMATCH_P };
}
