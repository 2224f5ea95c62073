import { z } from "zod";

import { MAX_EVENT_BYTES } from "./event.ts";
import { MAX_POINTER_LENGTH, parsePointer, readAt, writeAt } from "./json-pointer.ts";
import { parseTimestamp } from "./timestamp.ts";
import { uuidOf } from "./uuid.ts";

const MAX_OPERATIONS = 20;
const MAX_VALUE_BYTES = 8 * 1024;

const pointer = z
  .string()
  .max(MAX_POINTER_LENGTH)
  .refine((text) => parsePointer(text) !== null, "is no JSON pointer that a patch may follow")
  .meta({ description: "RFC 6901, as `/props/price`." });
/** `""` is the event as a whole, which can be read and replaced, but neither moved nor removed. */
const inner = pointer.refine((text) => text !== "", "the event as a whole can only be set");

const value = z
  .json()
  .refine((json) => Buffer.byteLength(JSON.stringify(json)) <= MAX_VALUE_BYTES, `at most ${MAX_VALUE_BYTES} bytes`);

const IS = ["present", "absent", "string", "number", "boolean", "object", "array", "null"] as const;

const condition = z
  .union([z.strictObject({ path: pointer, is: z.enum(IS) }), z.strictObject({ path: pointer, equals: value })])
  .meta({ id: "PatchCondition", description: "Of the event as the operations before have left it." });

const when = { when: condition.optional() };

/** The one thing that each operation does; where its place is not there, or not of the kind it works on, it does nothing. */
const operation = z
  .discriminatedUnion("op", [
    z.strictObject({ op: z.literal("set"), path: pointer, value, ...when }),
    z.strictObject({ op: z.literal("remove"), path: inner, ...when }),
    z.strictObject({ op: z.literal("rename"), from: inner, to: inner, ...when }),
    z.strictObject({
      op: z.literal("copy"),
      from: inner.meta({ description: `What is copied has at most ${MAX_VALUE_BYTES} bytes.` }),
      to: inner,
      ...when,
    }),
    z.strictObject({ op: z.literal("replace"), path: inner, old: value, new: value, ...when }),
    z.strictObject({
      op: z.literal("coerce"),
      path: inner,
      to: z.enum(["number", "string", "boolean", "timestamp"]).meta({
        description:
          "`timestamp`: ISO 8601 UTC, from epoch seconds or milliseconds, or from a date as machines write it.",
      }),
      ...when,
    }),
    z.strictObject({ op: z.literal("cut"), path: inner, max: z.int().min(1).max(MAX_EVENT_BYTES), ...when }),
    z.strictObject({
      op: z.literal("derive_id"),
      path: inner.meta({ description: "Becomes a UUID made of the dead letter's id: the same at each try." }),
      ...when,
    }),
  ])
  .meta({ id: "PatchOperation" });

/** A list of operations, done one after the other. It is data: nothing in it is ever run. */
export const patchSchema = z.array(operation).min(1).max(MAX_OPERATIONS).meta({ id: "Patch" });

export type Patch = z.infer<typeof patchSchema>;
type Operation = Patch[number];

/** What makes two letters the same event when it is done to both: only one letter may be patched so. */
export function namesOneEvent(patch: Patch): boolean {
  return patch.some((one) => one.op === "set" && (one.path === "" || one.path === "/event_id"));
}

/** The event after the patch; the one before stays as it is. `letterId` is what `derive_id` makes its UUID of. */
export function applyPatch(event: unknown, patch: Patch, letterId: string): unknown {
  return patch.reduce((before, one) => (holds(before, one) ? applyOperation(before, one, letterId) : before), event);
}

function holds(event: unknown, { when }: Operation): boolean {
  if (when === undefined) return true;
  const found = at(event, when.path);
  return "is" in when ? isOfKind(found, when.is) : isSameJson(found, when.equals);
}

function applyOperation(event: unknown, one: Operation, letterId: string): unknown {
  switch (one.op) {
    case "set":
      return put(event, one.path, one.value);
    case "remove":
      return at(event, one.path) === undefined ? event : put(event, one.path, undefined);
    case "rename": {
      const moved = at(event, one.from);
      if (moved === undefined || isWithin(one.to, one.from)) return event;
      const taken = writeAt(event, tokensOf(one.from), undefined);
      const placed = taken && writeAt(taken.value, tokensOf(one.to), moved);
      return placed ? placed.value : event;
    }
    case "copy": {
      const copied = at(event, one.from);
      // However often a patch copies, the event grows by no more than it was allowed to bring along.
      return copied === undefined || !isSmall(copied) ? event : put(event, one.to, copied);
    }
    case "replace":
      return isSameJson(at(event, one.path), one.old) ? put(event, one.path, one.new) : event;
    case "coerce": {
      const coerced = coerce(at(event, one.path), one.to);
      return coerced === undefined ? event : put(event, one.path, coerced);
    }
    case "cut": {
      const text = at(event, one.path);
      // Not `slice` alone: half of a surrogate pair is no text.
      const isLong = typeof text === "string" && text.length > one.max;
      return isLong ? put(event, one.path, cut(text, one.max)) : event;
    }
    case "derive_id":
      return put(event, one.path, uuidOf("dead-letter-event", letterId));
  }
}

function isSmall(copied: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(copied)) <= MAX_VALUE_BYTES;
}

/** Undefined where there is no such value. */
function coerce(found: unknown, to: "number" | "string" | "boolean" | "timestamp"): unknown {
  if (to === "string") return typeof found === "number" || typeof found === "boolean" ? String(found) : undefined;
  if (to === "boolean") return BOOLEANS.get(typeof found === "string" ? found.trim().toLowerCase() : found);
  if (to === "number") return typeof found === "string" ? toNumber(found) : undefined;
  return toTimestamp(found);
}

const BOOLEANS = new Map<unknown, boolean>([
  ["true", true],
  ["yes", true],
  ["1", true],
  [1, true],
  ["false", false],
  ["no", false],
  ["0", false],
  [0, false],
]);

/** A decimal number as people and machines write it: blanks and the commas of thousands may stand in it. */
function toNumber(text: string): number | undefined {
  const plain = text.trim().replaceAll(/,(?=\d{3}(\D|$))/g, "");
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

/** What is less is taken for seconds: in milliseconds it would be a day of 1973. */
const LEAST_MILLISECONDS = 100_000_000_000;
/** The end of the year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;

function toTimestamp(found: unknown): string | undefined {
  const number = typeof found === "string" ? toNumber(found) : found;
  const ms =
    typeof number === "number" ? number * (Math.abs(number) < LEAST_MILLISECONDS ? 1000 : 1) : parseDate(found);
  return ms >= 0 && ms <= MAX_TIME_MS ? new Date(ms).toISOString() : undefined;
}

/** ISO 8601 with a blank for the T, without seconds or zone (then UTC); nothing where day and month could be confused. */
function parseDate(found: unknown): number {
  if (typeof found !== "string") return Number.NaN;
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)? ?(Z|[+-]\d\d:?\d\d)?$/i.exec(found.trim());
  if (parts === null) return Number.NaN;
  const [, day, minutes = "00:00", seconds = ":00", zone = "Z"] = parts;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return parseTimestamp(`${day}T${minutes}${seconds}${offset}`);
}

function cut(text: string, max: number): string {
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max;
  return text.slice(0, end);
}

function at(event: unknown, path: string): unknown {
  return readAt(event, tokensOf(path));
}

/** Where nothing can stand there, nothing is changed. */
function put(event: unknown, path: string, written: unknown): unknown {
  const after = writeAt(event, tokensOf(path), written);
  return after === null ? event : after.value;
}

function tokensOf(path: string): string[] {
  const tokens = parsePointer(path);
  if (tokens === null) throw new TypeError("not a pointer that a patch may follow");
  return tokens;
}

function isWithin(path: string, of: string): boolean {
  return path === of || path.startsWith(`${of}/`);
}

function isOfKind(found: unknown, kind: (typeof IS)[number]): boolean {
  if (kind === "present") return found !== undefined;
  if (kind === "absent") return found === undefined;
  if (kind === "array") return Array.isArray(found);
  if (kind === "null") return found === null;
  // oxlint-disable-next-line valid-typeof -- the rest of the kinds are what typeof says
  return typeof found === kind && found !== null && !Array.isArray(found);
}

/** Objects are the same whatever the order of their keys. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || (a === 0 && b === 0)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [inA, inB] = [Object.entries(a), b as Record<string, unknown>];
  return (
    inA.length === Object.keys(inB).length &&
    inA.every(([key, item]) => Object.hasOwn(inB, key) && isSameJson(item, inB[key]))
  );
}
