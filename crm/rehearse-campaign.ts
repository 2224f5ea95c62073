import { z } from "zod";

import { campaignSchema } from "../core/campaign.ts";
import { CHANNELS } from "../core/channel.ts";
import { parseDuration } from "../core/duration.ts";
import { AppError } from "../core/errors.ts";
import { createRehearsal, type Rehearsal } from "../core/journey/rehearsal.ts";
import { parse } from "../core/parse.ts";
import { DAY_MS } from "../core/time.ts";
import { compileDraft } from "./compile-draft.ts";
import { type CrmContext, requireScope } from "./context.ts";
import { timeSchema } from "./page.ts";

const MAX_EVENTS = 1_000;
const MAX_MS = 366 * DAY_MS;
/** Some hundred milliseconds. */
const MAX_DECISIONS = 20_000;

const waitSchema = z
  .string()
  .refine(
    (text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= MAX_MS,
    "is no ISO 8601 duration such as PT31M or P1D, or longer than P366D",
  )
  .meta({ description: "ISO 8601: `PT31M`, `P1D`." });

export const rehearsalSchema = z
  .strictObject({
    campaign: campaignSchema.meta({ description: "As it would be created; nothing of it is kept." }),
    starts_at: timeSchema
      .refine((at) => at < "9000", "is after the year 9000")
      .optional()
      .meta({ description: "Now, where nothing is said." }),
    attributes: z
      .record(z.string().min(1).max(128), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .meta({ description: "What is known of the person before." }),
    events: z
      .array(
        z.strictObject({
          event_type: z.string().min(1).max(128),
          props: z.record(z.string(), z.unknown()).default({}),
          after: waitSchema.prefault("PT0S").meta({ description: "Since the event before it, or the start." }),
        }),
      )
      .max(MAX_EVENTS)
      .meta({ description: "What the person does, in this order." }),
    continue_for: waitSchema.prefault("P30D").meta({ description: "How long it goes on after the last event." }),
  })
  .meta({ id: "Rehearsal" });

export const rehearsedSchema = z
  .object({
    hash: z.string().meta({ description: "Of the journey, as it would be published." }),
    ends_at: timeSchema,
    messages: z.array(
      z.object({ at: timeSchema, run: z.int(), node_id: z.string(), channel: z.enum(CHANNELS), template: z.string() }),
    ),
    runs: z.array(
      z.object({
        key: z.string(),
        entered_at: timeSchema,
        ended_at: timeSchema.nullable(),
        state: z.enum(["active", "completed", "stopped", "failed"]),
        reason: z.string().nullable(),
        why: z.string().meta({ description: "Where it stands at the end, in words." }),
        trail: z.array(z.object({ node_id: z.string(), at: timeSchema })),
      }),
    ),
    refusals: z
      .array(
        z.object({
          at: timeSchema,
          event_type: z.string(),
          reason: z.enum(["where", "audience", "open", "re_entry"]),
        }),
      )
      .meta({
        description: "Events that begin the journey, and did not; `open`: a run of the same key was under way.",
      }),
  })
  .meta({ id: "Rehearsed" });

export type Rehearsed = z.infer<typeof rehearsedSchema>;

/**
 * What a campaign would do for somebody who does this and that: by the reducer that runs it live, in a time of its own. Nothing is
 * sent and nothing is kept. Throws `invalid` for a campaign that could not be created.
 */
export async function rehearseCampaign(ctx: CrmContext, source: unknown): Promise<Rehearsed> {
  requireScope(ctx, "read");
  const { campaign, starts_at, attributes, events, continue_for } = parse(rehearsalSchema, source, "body");
  const { definition, hash } = compileDraft(campaign);
  const at_ms = starts_at === undefined ? Date.now() : Date.parse(starts_at);
  const rehearsal = createRehearsal(definition, { at_ms, attributes, maxDecisions: MAX_DECISIONS });
  play(rehearsal, [...events, { after: continue_for }]);
  return { hash, ...describe(rehearsal) };
}

function play(
  rehearsal: Rehearsal,
  events: readonly { after: string; event_type?: string; props?: Record<string, unknown> }[],
) {
  const beganMs = rehearsal.nowMs;
  for (const { after, event_type, props } of events) {
    const untilMs = rehearsal.nowMs + parseDuration(after)!;
    if (untilMs - beganMs > 2 * MAX_MS) throw new AppError("invalid", "A rehearsal lasts two years at most.");
    rehearsal.advanceTo(untilMs);
    if (event_type !== undefined) rehearsal.tell({ event_type, props });
  }
}

function describe({ nowMs, messages, runs, refusals }: Rehearsal): Omit<Rehearsed, "hash"> {
  return {
    ends_at: timeOf(nowMs),
    messages: messages.map(({ at_ms, run, node_id, channel, template }) => {
      return { at: timeOf(at_ms), run, node_id, channel, template };
    }),
    runs: runs.map(({ key, entered_at_ms, ended_at_ms, state, reason, why, trail }) => ({
      key,
      entered_at: timeOf(entered_at_ms),
      ended_at: ended_at_ms === null ? null : timeOf(ended_at_ms),
      state,
      reason,
      why,
      trail: trail.map(({ node_id, at_ms }) => ({ node_id, at: timeOf(at_ms) })),
    })),
    refusals: refusals.map(({ at_ms, ...refusal }) => ({ at: timeOf(at_ms), ...refusal })),
  };
}

const timeOf = (ms: number) => new Date(ms).toISOString();
