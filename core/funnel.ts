import { z } from "zod";

import { type Condition, conditionSchema } from "./condition.ts";
import { parseDuration } from "./duration.ts";
import { ID_PATTERN, MAX_EVENT_TYPE_LENGTH, MAX_ID_LENGTH } from "./event.ts";
import { DAY_MS } from "./time.ts";

/** Who goes through it: a visit, or a person over all visits and devices. */
export const FUNNEL_UNITS = ["session", "user"] as const;
export type FunnelUnit = (typeof FUNNEL_UNITS)[number];

/**
 * `source`, `country`, `device`, `cohort`: the event's that begins the chain, so a unit that begins twice may stand in two groups.
 * `product`, `category`: chains of which every event is about the same one.
 */
export const FUNNEL_GROUPS = ["source", "country", "device", "product", "category", "cohort"] as const;
export type FunnelGroup = (typeof FUNNEL_GROUPS)[number];

interface FunnelStep {
  event_type: string;
  /** About the event's `props`. */
  conditions: Condition[];
}

/**
 * A unit has reached step k when one of its events of step 1, the anchor, is followed by events of the steps 2…k in this order,
 * each strictly after the one before (by timestamp, then place in the stream), none later than `window_ms` after the anchor.
 */
export interface Funnel {
  unit: FunnelUnit;
  window_ms: number;
  steps: FunnelStep[];
  /** Only events about this product. */
  product_id?: string | undefined;
  group_by?: FunnelGroup | undefined;
}

const MAX_FUNNEL_STEPS = 10;
const MAX_CONDITIONS = 20;
const MAX_WINDOW_MS = 90 * DAY_MS;
export const DEFAULT_WINDOW = "PT30M";

const stepSchema = z
  .strictObject({
    event_type: z.string().min(1).max(MAX_EVENT_TYPE_LENGTH).regex(ID_PATTERN, "no control characters"),
    conditions: z.array(conditionSchema()).max(MAX_CONDITIONS).default([]),
  })
  .refine((step) => !JSON.stringify(step).includes("\\u0000"), "no control characters")
  .meta({ id: "FunnelStep" });

const stepsSchema = z
  .array(stepSchema)
  .min(1, "name at least one step")
  .max(MAX_FUNNEL_STEPS, `at most ${MAX_FUNNEL_STEPS} steps`);

/** Event types with commas between, or JSON of steps with conditions. */
export const funnelStepsSchema = z
  .string()
  .max(8_000)
  .transform((text, context): unknown => {
    if (!text.trimStart().startsWith("[")) {
      return text.split(",").map((event_type) => ({ event_type: event_type.trim() }));
    }
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("is neither event types with commas between, nor JSON");
      return z.NEVER;
    }
  })
  .pipe(stepsSchema)
  .meta({
    description: `Event types with commas between, as \`product_view,add_to_cart,purchase\`; or JSON, as \`[{"event_type":"purchase","conditions":[{"path":"payment","op":"eq","value":"card"}]}]\`, with conditions on \`props\`. At most ${MAX_FUNNEL_STEPS}.`,
  });

/** ISO 8601 to milliseconds. */
export const funnelWindowSchema = z
  .string()
  .transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0 && ms <= MAX_WINDOW_MS) return ms;
    context.addIssue(
      ms === undefined
        ? "is no ISO 8601 duration in weeks, days, hours, minutes and seconds, such as PT30M or P7D"
        : "must be longer than nothing and at most P90D",
    );
    return z.NEVER;
  })
  .meta({ description: "ISO 8601: how long after its first step a unit may take. At most P90D." });

export const funnelProductSchema = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .regex(ID_PATTERN, "no control characters")
  .meta({ description: "Only events about this product." });

/** As it crosses a wire: the window in milliseconds. */
export const funnelSchema = z.strictObject({
  unit: z.enum(FUNNEL_UNITS),
  window_ms: z.int().positive().max(MAX_WINDOW_MS),
  steps: stepsSchema,
  product_id: funnelProductSchema.optional(),
  group_by: z.enum(FUNNEL_GROUPS).optional(),
});
