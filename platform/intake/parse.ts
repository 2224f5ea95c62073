import { isAscii, isUtf8 } from "node:buffer";

import { AppError, type Fault } from "../../core/errors.ts";
import { MAX_BATCH, MAX_DEPTH, MAX_EVENT_BYTES } from "../../core/event.ts";
import { findJsonFaults } from "../../core/json-faults.ts";
import { type JsonSlices, sliceJson } from "../../core/json-slices.ts";
import { HttpError } from "../../core/problem.ts";

export interface Batch {
  /** What `JSON.parse` made of them: not yet known to be events. */
  values: unknown[];
  /** The bytes of each, as received. */
  slices: Buffer[];
}

/** Deeper than this nothing is parsed at all. */
const MAX_PARSED_DEPTH = 1_000;

/** The body as 1 to 100 JSON values. Throws `invalid` with all faults of form, 413 for a single event too large. */
export function parse(body: Buffer): Batch {
  if (body.length === 0) throw invalid("The body is empty.", "empty");
  const ascii = isAscii(body);
  if (!ascii && !isUtf8(body)) throw invalid("The body is not UTF-8.", "not UTF-8");
  const found = sliceJson(body, MAX_BATCH);
  const count = found.bounds.length / 2;
  if (count > MAX_BATCH)
    throw invalid(`A request carries at most ${MAX_BATCH} events.`, `more than ${MAX_BATCH} events`);
  if (found.depth > MAX_PARSED_DEPTH) throw invalid("The body nests too deep.", `nested deeper than ${MAX_DEPTH}`);
  const root = parseJson(body.toString(ascii ? "latin1" : "utf8"));
  const values = valuesOf(root, found.form);
  if (values.length === 0) throw invalid("A request carries at least one event.", "no events");
  if (values.length !== count) throw new AppError("internal", "the scanner and the parser disagree");
  refuseUnsafe(body, values, found.depth);
  return { values, slices: slicesOf(body, found.bounds) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The parser's own words quote the body.
    const at = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw invalid("The body is not JSON.", at === undefined ? "not JSON" : `not JSON at character ${at}`);
  }
}

function valuesOf(root: unknown, form: JsonSlices["form"]): unknown[] {
  if (form === "array") return root as unknown[];
  return form === "wrapped" ? (root as { events: unknown[] }).events : [root];
}

const PROTO = Buffer.from("__proto__");
/** `_` is U+005F. */
const ESCAPED_UNDERSCORE = Buffer.from("\\u005");

/** The walk over every value is only taken where the bytes give a reason to. */
function refuseUnsafe(body: Buffer, values: readonly unknown[], depth: number): void {
  const isSuspect = depth > MAX_DEPTH || body.includes(PROTO) || body.includes(ESCAPED_UNDERSCORE);
  if (!isSuspect) return;
  const faults = values.flatMap((value, index) => findJsonFaults(value, index, MAX_DEPTH));
  if (faults.length > 0) throw new AppError("invalid", "Nothing was taken.", { faults });
}

function slicesOf(body: Buffer, bounds: readonly number[]): Buffer[] {
  const slices: Buffer[] = [];
  const tooLarge: Fault[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const slice = body.subarray(bounds[i], bounds[i + 1]);
    if (slice.length > MAX_EVENT_BYTES) {
      tooLarge.push({ index: i / 2, path: "", reason: `${slice.length} bytes, at most ${MAX_EVENT_BYTES}` });
    }
    slices.push(slice);
  }
  if (tooLarge.length > 0) throw new HttpError(413, "An event is too large. Nothing was taken.", {}, tooLarge);
  return slices;
}

function invalid(message: string, reason: string): AppError {
  return new AppError("invalid", message, { faults: [{ path: "", reason }] });
}
