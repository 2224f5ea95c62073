import { z } from "zod";

import { conditionSchema } from "../condition.ts";
import { PURCHASE } from "../curated-event.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import { ID_PATTERN, MAX_EVENT_TYPE_LENGTH } from "../event.ts";
import { CURRENCY_EXPONENTS } from "../money.ts";
import { DAY_MS } from "../time.ts";

/** The event that says which variant a person was shown: `props.experiment_id` and `props.variant`, both text. */
export const EXPOSURE = "experiment_exposure";

const MAX_VARIANTS = 10;
const MAX_CONDITIONS = 20;
const MAX_EXPERIMENT_WINDOW_MS = 90 * DAY_MS;

/** Of an experiment, or of a variant. */
export const experimentIdSchema = z.string().regex(/^[\w.-]{1,64}$/, "letters, digits, _ . - and at most 64 of them");

const variantSchema = z
  .strictObject({
    name: experimentIdSchema,
    share: z
      .number()
      .positive()
      .max(1_000_000)
      .meta({ description: "Its part of the whole, in any unit: 1 and 1 are halves, as are 50 and 50." }),
    is_control: z.boolean().default(false).meta({ description: "The one that the others are compared with." }),
  })
  .meta({ id: "ExperimentVariant" });

export type ExperimentVariant = z.output<typeof variantSchema>;

const eventType = z
  .string()
  .min(1)
  .max(MAX_EVENT_TYPE_LENGTH)
  .regex(ID_PATTERN, "no control characters")
  .refine((type) => type !== EXPOSURE, "is what exposes people, not what they do then");
const conditions = z
  .array(conditionSchema())
  .max(MAX_CONDITIONS)
  .default([])
  .refine((all) => !JSON.stringify(all).includes("\\u0000"), "no control characters")
  .meta({ description: "On the event's props." });

const metricSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("conversion"), event_type: eventType, conditions }),
    z.strictObject({
      type: z.literal("revenue"),
      event_type: eventType.default(PURCHASE),
      conditions,
      currency: z
        .string()
        .refine((code) => CURRENCY_EXPONENTS.has(code), "is no currency of ISO 4217")
        .meta({ description: "ISO 4217: what variants are compared in." }),
    }),
  ])
  .meta({ id: "ExperimentMetric" });

export type ExperimentMetric = z.output<typeof metricSchema>;

const windowSchema = z
  .string()
  .refine(
    (text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms > 0 && ms <= MAX_EXPERIMENT_WINDOW_MS;
    },
    `is no ISO 8601 duration such as PT30M or P7D, or longer than ${formatDuration(MAX_EXPERIMENT_WINDOW_MS)}`,
  )
  .meta({ description: "ISO 8601: how long after a person's first exposure the metric counts. At most P90D." });

export const experimentSchema = z
  .strictObject({
    experiment_id: experimentIdSchema,
    name: z.string().min(1).max(200).regex(ID_PATTERN, "no control characters").optional(),
    variants: z.array(variantSchema).min(2, "name at least two").max(MAX_VARIANTS),
    metric: metricSchema,
    window: windowSchema.default("P7D"),
    started_at: z.iso
      .datetime({ offset: true })
      .refine((at) => at > "2000" && at < "2100", "is not of this century")
      .optional()
      .meta({ description: "Exposures before it do not count. Now, where it is left out." }),
  })
  .refine(({ variants }) => variants.filter((one) => one.is_control).length === 1, {
    path: ["variants"],
    error: "exactly one of them must be the control (is_control)",
  })
  .refine(({ variants }) => new Set(variants.map((one) => one.name)).size === variants.length, {
    path: ["variants"],
    error: "names must differ",
  })
  .meta({ id: "ExperimentDefinition" });

export type ExperimentDefinition = z.output<typeof experimentSchema>;

/** The shapes of a definition's parts, for what shows it. */
export const experimentParts = { variants: z.array(variantSchema), metric: metricSchema };
