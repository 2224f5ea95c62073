import { z } from "zod";

import { AppError } from "../../core/errors.ts";

/** Of a list that is sorted by a number or a day, then by a key. */
const placeSchema = z.object({ place: z.union([z.number(), z.iso.date()]), key: z.string() });

export interface Place<P extends number | string> {
  place: P;
  key: string;
}

export function encodePlace(place: Place<number | string>): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Throws `invalid` where it is not one that a list of this kind gave out. */
export function decodePlace<K extends "number" | "string">(
  cursor: string,
  kind: K,
): Place<K extends "number" ? number : string> {
  try {
    const found = placeSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    if (typeof found.place !== kind || found.key.includes("\0") || !found.key.isWellFormed()) throw new Error(kind);
    return found as Place<K extends "number" ? number : string>;
  } catch (error) {
    const faults = [{ path: "/cursor", reason: "is not a cursor that this list gave out" }];
    throw new AppError("invalid", "The query is not valid.", { faults, cause: error });
  }
}
