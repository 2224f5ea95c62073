import { z } from "zod";

export const shareSchema = z.number().nullable();

/** Null where there is nothing to have a share of. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
