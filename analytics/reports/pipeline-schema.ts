import { z } from "zod";

import { FORECAST_LEVEL } from "../../core/pipeline/forecast.ts";
import { pipelineIdSchema, STAGE_KINDS } from "../../core/pipeline/pipeline.ts";
import { rangeInput } from "./range.ts";

const PIPELINE_GROUPS = ["owner", "source"] as const;

export const pipelineInput = z.object({
  start: rangeInput.start,
  end: rangeInput.end.meta({
    description: "The first moment after it. Everything is as it was then, or is now where it lies ahead.",
  }),
  pipeline_id: pipelineIdSchema.optional().meta({ description: "The client's default one where it is left out." }),
  group_by: z.enum(PIPELINE_GROUPS).optional().meta({ description: "As said of a deal at the end." }),
  horizon_days: z.coerce
    .number()
    .int()
    .min(1)
    .max(730)
    .default(90)
    .meta({ description: "How far the forecast looks." }),
  history_days: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_825)
    .default(365)
    .meta({ description: "How much of the past, up to the end, the forecast learns from." }),
});

const count = z.int();
const amounts = z.record(z.string(), count).meta({ description: "Minor units by currency." });
const share = z.number().nullable();
const interval = z
  .object({ low: z.number(), high: z.number() })
  .meta({ description: `Within which it lies nine times of ten (level ${FORECAST_LEVEL}).` });
const closed = { deals: count, amounts };

const stageSchema = z
  .object({
    stage: z.string(),
    name: z.string(),
    kind: z.enum(STAGE_KINDS),
    ...closed,
    entered: count.meta({ description: "How often a deal came into it within the range." }),
    left: count.meta({ description: "How often a deal left it within the range." }),
    reached: count.meta({ description: "Deals that came into it within the range." }),
    advanced: count.meta({ description: "Of those, which were further on at any time after that, or won." }),
    conversion_to_next: share.meta({ description: "`advanced` of `reached`; null in closed stages, and without any." }),
    conversion_interval: interval.nullable(),
    median_seconds: z
      .number()
      .nullable()
      .meta({ description: "How long those that left it within the range had been there." }),
  })
  .meta({ id: "PipelineStageCount" });

const totalsSchema = z.object({
  created: count,
  open: z.object(closed).meta({ description: "At the end." }),
  won: z.object(closed).meta({ description: "Within the range, and still so at the end." }),
  lost: z.object({ ...closed, reasons: z.array(z.object({ reason: z.string().nullable(), deals: count })) }),
  win_rate: share.meta({ description: "Won of won and lost." }),
  win_rate_interval: interval.nullable(),
});

const expected = { expected: z.number(), low: z.number(), high: z.number() };
const expectedSchema = z
  .object({
    deals: z.object({ open: count, ...expected }),
    amounts: z.record(z.string(), z.object({ open: count, expected: count, low: count, high: count })).meta({
      description: "Minor units by currency: of all open deals, and of those that will be won within the horizon.",
    }),
  })
  .meta({ id: "PipelineForecast" });

const outlookSchema = z.object({
  stage: z.string(),
  default_probability: z.number(),
  seen: count.meta({ description: "Moves out of it that the forecast has learnt from." }),
  win: z.number().meta({ description: "That a deal in it is won, sooner or later." }),
  win_within: z.number().meta({ description: "That it is won within the horizon." }),
  win_within_interval: interval,
});

const groupSchema = z.object({
  key: z.string().nullable().meta({ description: "Null: not said." }),
  stages: z.array(stageSchema),
  totals: totalsSchema,
  forecast: expectedSchema,
});

export const pipelineReportSchema = z
  .object({
    pipeline_id: z.string(),
    start: z.iso.datetime(),
    end: z.iso.datetime(),
    stages: z.array(stageSchema),
    totals: totalsSchema,
    forecast: z.object({
      horizon_days: count,
      history_days: count,
      ...expectedSchema.shape,
      stages: z.array(outlookSchema).meta({ description: "Open stages." }),
    }),
    groups: z
      .array(groupSchema)
      .meta({ description: "At most 200, those with most deals first; every deal is in one of them." }),
    as_of: z.iso
      .datetime()
      .meta({ description: "The end, or now where it lies ahead: what happened later is not in it." }),
  })
  .meta({ id: "PipelineReport" });

export type PipelineReport = z.infer<typeof pipelineReportSchema>;
export type StageReport = z.infer<typeof stageSchema>;
export type TotalsReport = z.infer<typeof totalsSchema>;
export type ExpectedReport = z.infer<typeof expectedSchema>;
