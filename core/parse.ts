import type { z } from "zod";

import { AppError, type Fault } from "./errors.ts";

/** The value as the schema has it. Throws `invalid` with every fault there is. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("invalid", `The ${what} is not valid.`, { faults: faultsOf(parsed.error) });
}

function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.map((issue) => ({ path: pointerTo(issue.path), reason: issue.message }));
}

/** RFC 6901. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Deeper than anything we ask for, and far from where anything that walks it would run out of stack. */
const MAX_DEPTH = 64;

/**
 * What no store of ours can keep, or what would reach into JavaScript's own objects: NUL characters, halves of
 * surrogate pairs, keys named `__proto__`, and nesting without end. Empty where the value is fit to be kept.
 */
export function findUnstorable(value: unknown, path: readonly PropertyKey[] = []): Fault[] {
  if (typeof value === "string") return describeText(value, path);
  if (typeof value !== "object" || value === null) return [];
  if (path.length >= MAX_DEPTH) return [{ path: pointerTo(path), reason: `nests deeper than ${MAX_DEPTH}` }];
  return Object.entries(value).flatMap(([key, item]) => {
    if (key === "__proto__") return [{ path: pointerTo(path), reason: "has a key that is not allowed: __proto__" }];
    return [...describeText(key, path), ...findUnstorable(item, [...path, key])];
  });
}

function describeText(text: string, path: readonly PropertyKey[]): Fault[] {
  if (text.includes("\0")) return [{ path: pointerTo(path), reason: "holds a NUL character" }];
  if (!text.isWellFormed()) return [{ path: pointerTo(path), reason: "is not well-formed Unicode" }];
  return [];
}
