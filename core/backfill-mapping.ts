import { z } from "zod";

import { compileDateFormat, NAMED_FORMATS } from "./backfill/date-format.ts";
import { decimalStyleOf } from "./backfill/decimal-style.ts";
import { AppError, type Fault } from "./errors.ts";
import { pointerTo } from "./parse.ts";
import { isTimeZone } from "./zoned-time.ts";

const MAX_COLUMNS = 500;
const name = z.string().min(1).max(256);
const zone = z.string().refine(isTimeZone, "not a time zone: give one of the IANA database, Europe/Berlin say");
const columns = z
  .array(name)
  .min(1)
  .max(MAX_COLUMNS)
  .refine((all) => new Set(all).size === all.length, "names a column twice");
const header = z.boolean().meta({ description: "Whether the first line names the columns." });

/** How the file is written. Gzip is recognised by itself. */
const formatSchema = z
  .discriminatedUnion(
    "type",
    [
      z.strictObject({
        type: z.literal("csv"),
        header: header.default(true),
        columns: columns.optional().meta({ description: "Their names, in order, where no header says them." }),
        delimiter: z
          .string()
          .length(1)
          .regex(/[^"\w\s]|\t/, "one sign, or a tab")
          .default(","),
        quote: z.enum(['"', "'", ""]).default('"'),
        encoding: z.enum(["utf-8", "windows-1252"]).default("utf-8"),
        nulls: z
          .array(z.string().max(32))
          .max(10)
          .default([])
          .meta({ description: "Texts that mean nothing: NULL, say." }),
      }),
      z.strictObject({
        type: z.literal("whitespace"),
        header: header.default(false),
        columns: columns.optional(),
        encoding: z.enum(["utf-8", "windows-1252"]).default("utf-8"),
        nulls: z.array(z.string().max(32)).max(10).default([]),
      }),
      z.strictObject({ type: z.literal("jsonl") }),
      z.strictObject({ type: z.literal("parquet") }),
    ],
    "one of csv, whitespace, jsonl, parquet",
  )
  .superRefine((format, ctx) => {
    if ("header" in format && !format.header && format.columns === undefined)
      ctx.addIssue({ code: "custom", path: ["columns"], message: "required where there is no header" });
  });

export type SourceFormat = z.infer<typeof formatSchema>;

const TYPES = ["text", "integer", "decimal", "boolean", "json", "timestamp"] as const;

/** Where a field's value comes from, and what is to be made of it. */
const sourceSchema = z
  .strictObject({
    column: name.optional(),
    pointer: z
      .string()
      .regex(/^(\/([^~/]|~[01])*)+$/, "not a JSON pointer: /customer/id, say")
      .max(512)
      .optional(),
    template: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: "Text with columns in braces; {$line} is the line." }),
    type: z.enum(TYPES).optional().meta({ description: "Without it: text, or what JSON or Parquet says it is." }),
    locale: z
      .string()
      .refine((locale) => decimalStyleOf(locale) !== null, "not a locale: de-DE, say")
      .optional()
      .meta({ description: "Of integers and decimals: how they are written." }),
    format: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: "Of times: iso, epoch_s, epoch_ms, or a pattern." }),
    time_zone: zone.optional(),
    time: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "not a time of day: 12:00, say")
      .optional(),
    required: z.boolean().optional().meta({ description: "Lines without it are refused; else the field is left out." }),
  })
  .superRefine((source, ctx) => {
    const fault = (path: string[], message: string) => ctx.addIssue({ code: "custom", path, message });
    const given = [source.column, source.pointer, source.template].filter((one) => one !== undefined);
    if (given.length !== 1) fault([], "needs one of column, pointer and template");
    if (source.locale !== undefined && source.type !== "integer" && source.type !== "decimal")
      fault(["locale"], "only with the type integer or decimal");
    for (const key of ["format", "time_zone", "time"] as const)
      if (source[key] !== undefined && source.type !== "timestamp") fault([key], "only with the type timestamp");
    checkTime(source, fault);
  });

export type Source = z.infer<typeof sourceSchema>;

function checkTime(source: Partial<Source>, fault: (path: string[], message: string) => void): void {
  if (source.format === undefined || NAMED_FORMATS.some((known) => known === source.format)) return;
  const compiled = compileDateFormat(source.format);
  if (typeof compiled === "string") return fault(["format"], compiled);
  if (!compiled.hasZone && source.time_zone === undefined)
    fault(["time_zone"], "required: the format says no zone, so nobody can tell when it was");
  if (compiled.hasTime && source.time !== undefined) fault(["time"], "the format has a time of its own");
}

const constant = z.union([z.string().min(1).max(4096), z.number(), z.boolean()]);
const value = z.union([constant, sourceSchema], "a constant, or an object with column, pointer or template");
const values = z
  .record(name, value)
  .refine((all) => !Object.hasOwn(all, "__proto__"), "the key __proto__ is not allowed");
/** The event's own time: what is said of a type `timestamp`, without saying the type. */
const timeSource = z.preprocess(
  (given) => (typeof given === "object" && given !== null ? { type: "timestamp", ...given } : given),
  sourceSchema.refine((source) => source.type === "timestamp", { path: ["type"], error: "must be timestamp" }),
);
const deriveSchema = z.strictObject({
  derive_from: z.array(name).min(1).max(20).meta({ description: "Columns that together name the event." }),
});

const eventSchema = z.strictObject({
  event_id: z
    .union([sourceSchema, deriveSchema], "an object with column, pointer or template, or with derive_from")
    .optional(),
  timestamp: timeSource.optional(),
  event_type: value.optional(),
  user_id: value.optional(),
  anon_id: value.optional(),
  session_id: value.optional(),
  props: values.optional(),
  context: values.optional(),
});

/** What makes events of the records of a file. */
export const mappingSchema = z
  .strictObject({
    format: formatSchema,
    key: name.optional().meta({
      description:
        "Stands for the file in the ids of events that name none: a file that was mended then gives the same ids.",
    }),
    as_is: z
      .boolean()
      .default(false)
      .meta({ description: "JSON lines that are events already; `event` replaces fields." }),
    event: eventSchema.default({}),
  })
  .superRefine((mapping, ctx) => {
    for (const { path, reason } of findContradictions(mapping)) ctx.addIssue({ code: "custom", path, message: reason });
  })
  .meta({ id: "BackfillMapping" });

export type BackfillMapping = z.infer<typeof mappingSchema>;

type Found = { path: (string | number)[]; reason: string };

function findContradictions(mapping: Pick<BackfillMapping, "format" | "as_is" | "event">): Found[] {
  const { format, as_is, event } = mapping;
  const found: Found[] = [];
  if (as_is && format.type !== "jsonl") found.push({ path: ["as_is"], reason: "only with the format jsonl" });
  if (!as_is) {
    for (const field of ["timestamp", "event_type"] as const)
      if (event[field] === undefined) found.push({ path: ["event", field], reason: "required" });
    if (event.user_id === undefined && event.anon_id === undefined && event.session_id === undefined)
      found.push({ path: ["event"], reason: "needs one of user_id, anon_id and session_id" });
  }
  for (const { path, source } of listSources(mapping)) {
    if (typeof source === "object" && "pointer" in source && source.pointer !== undefined && format.type !== "jsonl")
      found.push({ path: [...path, "pointer"], reason: "only with the format jsonl: give a column" });
  }
  const named = "columns" in format ? format.columns : undefined;
  return named === undefined ? found : [...found, ...findUnknownColumns(mapping, named)];
}

/** The places in a mapping that name columns which the file does not have. */
export function findUnknownColumns(
  mapping: Pick<BackfillMapping, "event">,
  columns: readonly string[],
): { path: (string | number)[]; reason: string }[] {
  const list = columns.slice(0, 20).join(", ");
  return listSources(mapping).flatMap(({ path, source }) =>
    columnsOf(source).flatMap(({ at, column }) =>
      columns.includes(column) || column === LINE
        ? []
        : [{ path: [...path, ...at], reason: `there is no column "${column}"; there are ${list}` }],
    ),
  );
}

/** In templates, the number of the line. */
export const LINE = "$line";
const BRACES = /\{([^{}]*)\}/g;

export function fillTemplate(template: string, textOf: (column: string) => string): string {
  return template.replaceAll(BRACES, (_, column: string) => textOf(column));
}

type AnySource = z.infer<typeof value> | z.infer<typeof deriveSchema>;

function columnsOf(source: AnySource): { at: (string | number)[]; column: string }[] {
  if (typeof source !== "object") return [];
  if ("derive_from" in source) return source.derive_from.map((column, i) => ({ at: ["derive_from", i], column }));
  if (source.column !== undefined) return [{ at: ["column"], column: source.column }];
  return [...(source.template ?? "").matchAll(BRACES)].map((match) => ({ at: ["template"], column: match[1] ?? "" }));
}

function listSources({ event }: Pick<BackfillMapping, "event">): { path: string[]; source: AnySource }[] {
  const { props = {}, context = {}, ...fields } = event;
  const nested = Object.entries({ props, context }).flatMap(([group, all]) =>
    Object.entries(all).map(([key, source]) => ({ path: ["event", group, key], source })),
  );
  const own = Object.entries(fields).flatMap(([key, source]) =>
    source === undefined ? [] : [{ path: ["event", key], source }],
  );
  return [...own, ...nested];
}

/** Throws `invalid`, naming every place that is wrong as a JSON pointer below `root`. */
export function parseMapping(given: unknown, root = ""): BackfillMapping {
  const parsed = mappingSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => flatten(issue, given)).slice(0, 20);
  throw new AppError("invalid", "The mapping is not valid.", {
    faults: faults.map(({ path, reason }) => ({ path: root + path, reason })),
  });
}

/** Of a value that may be several things: what is wrong with that which it looks like. */
function flatten(issue: z.core.$ZodIssue, given: unknown, above: readonly PropertyKey[] = []): Fault[] {
  const path = [...above, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0 || typeof at(given, path) !== "object")
    return [{ path: pointerTo(path), reason: issue.message }];
  const looksDerived = Object.hasOwn((at(given, path) ?? {}) as object, "derive_from");
  const branch = path.at(-1) === "event_id" ? issue.errors[looksDerived ? 1 : 0] : issue.errors.at(-1);
  return (branch ?? []).flatMap((inner) => flatten(inner, given, path));
}

function at(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], given);
}
