import { z } from "zod";

import { compileAudience } from "./audience.ts";
import { isAttributionWindow } from "./campaign-performance.ts";
import { type Channel, CHANNELS } from "./channel.ts";
import { conditionSchema } from "./condition.ts";
import type { Fault } from "./errors.ts";
import {
  type ExitRule,
  exitRuleSchema,
  type JourneyDefinition,
  journeyGraphSchema,
  type ReEntry,
  type Trigger,
} from "./journey/definition.ts";
import { hashDefinition } from "./journey/hash.ts";
import type { JourneyNode } from "./journey/nodes/index.ts";
import { validateJourney } from "./journey/validate.ts";
import { HOUR_MS, MINUTE_MS } from "./time.ts";

/** Messages that are planned at least this far apart stay so after a pause. */
const APART_MS = HOUR_MS;
const MAX_MINUTES = 366 * 24 * 60;
const ACTION = /^(whatsapp_template|whatsapp|email|sms|push):([\w.\- ]{1,128})$/;

const eventType = z.string().min(1).max(128);
const minutes = z.number().min(0).max(MAX_MINUTES);

export const campaignIdSchema = z.string().regex(/^[\w.-]{1,64}$/, "letters, digits, _ . - and at most 64 of them");

const triggerSchema = z
  .union([
    z
      .literal("cart_abandonment")
      .meta({ description: "`add_to_cart` that no `purchase` follows; one run per `cart_id`." }),
    z
      .string()
      .regex(/^event:.{1,128}$/)
      .meta({ description: "`event:<event_type>`: any event of that type." }),
    z.strictObject({
      type: z.literal("event"),
      event_type: eventType,
      where: z.array(conditionSchema()).max(50).default([]).meta({ description: "Conditions on the event's props." }),
      key: z
        .string()
        .min(1)
        .max(128)
        .optional()
        .meta({ description: "The prop that tells runs apart, as `order_id`." }),
    }),
    z.strictObject({ type: z.literal("inactivity"), after_minutes: minutes.min(0.01) }),
  ])
  .meta({ id: "CampaignTrigger" });

/** A campaign as people write it (integration manual, section 9). It stays valid for ever: it compiles into a journey. */
export const campaignSchema = z
  .strictObject({
    campaign_id: campaignIdSchema,
    name: z.string().min(1).max(200).optional(),
    trigger: triggerSchema,
    schedule: z
      .array(
        z.strictObject({
          delay_minutes: minutes.meta({ description: "Counted from the entry; fractions are allowed." }),
          action: z
            .string()
            .regex(ACTION, `<channel>:<template>, the channel one of whatsapp_template, ${CHANNELS.join(", ")}`),
        }),
      )
      .min(1)
      .max(50)
      .optional(),
    audience_query: z
      .string()
      .optional()
      .meta({ description: "`select user_id from segments where <column> = <literal> [and …]`, asked at the entry." }),
    exit_on: z
      .array(z.union([eventType, exitRuleSchema()]))
      .max(20)
      .optional()
      .meta({ description: "Events that end a run at once. `cart_abandonment` always ends with `purchase`." }),
    re_entry: z
      .union([z.enum(["once", "after_exit"]), z.strictObject({ cool_down_minutes: minutes })])
      .optional()
      .meta({ description: "When the same person and key may enter again; `after_exit` where nothing is said." }),
    attribution_window: z
      .string()
      .refine(isAttributionWindow, "is no ISO 8601 duration such as PT12H or P7D, or longer than P90D")
      .optional()
      .meta({
        description: "ISO 8601: how long after a message a purchase is attributed to it. P7D where it is left out.",
      }),
    journey: journeyGraphSchema().optional().meta({ description: "Instead of `schedule`: the graph itself." }),
  })
  .refine((campaign) => (campaign.schedule === undefined) !== (campaign.journey === undefined), {
    path: ["schedule"],
    error: "give either a schedule or a journey",
  })
  .meta({ id: "Campaign" });

export type Campaign = z.infer<typeof campaignSchema>;

export type Compiled =
  | { ok: true; campaign: Campaign; definition: JourneyDefinition; hash: string; warnings: Fault[] }
  | { ok: false; faults: Fault[] };

/** Campaign JSON → journey. Pure: the same JSON is the same definition and hash for ever. Faults carry JSON pointers. */
export function compileCampaign(source: unknown): Compiled {
  const parsed = campaignSchema.safeParse(source);
  if (!parsed.success)
    return {
      ok: false,
      faults: parsed.error.issues.map((issue) => ({ path: pointer(issue.path), reason: issue.message })),
    };
  const campaign = parsed.data;
  const trigger = compileTrigger(campaign.trigger);
  const exit_on = compileExits(campaign);
  const audience = compileAudience(
    campaign.audience_query ?? "select user_id from segments",
    namedEvents(trigger, exit_on),
  );
  const graph = withInactivity(campaign.journey ?? compileSchedule(campaign.schedule ?? []), trigger);
  const faults = [
    ...(audience.ok ? [] : audience.faults),
    ...validateJourney(graph).map((fault) => ({ ...fault, path: `/journey${fault.path}` })),
  ];
  if (!audience.ok || faults.length > 0) return { ok: false, faults };
  const definition: JourneyDefinition = {
    trigger,
    audience: audience.conditions,
    exit_on,
    re_entry: compileReEntry(campaign),
    ...graph,
  };
  return {
    ok: true,
    campaign,
    definition,
    hash: hashDefinition(definition),
    warnings: warningsOf(campaign, definition),
  };
}

/** The templates that a journey will ask for, each with the node that does. */
export function templatesOf(
  definition: Pick<JourneyDefinition, "nodes">,
): { node_id: string; channel: Channel; template: string }[] {
  return Object.entries(definition.nodes).flatMap(([node_id, node]) =>
    node.type === "message" ? [{ node_id, channel: node.channel, template: node.template }] : [],
  );
}

function compileTrigger(trigger: Campaign["trigger"]): Trigger {
  if (trigger === "cart_abandonment")
    return { type: "event", event_type: "add_to_cart", where: [], key_prop: "cart_id" };
  if (typeof trigger === "string")
    return { type: "event", event_type: trigger.slice("event:".length), where: [], key_prop: null };
  if (trigger.type === "inactivity")
    return { type: "inactivity", after_ms: Math.round(trigger.after_minutes * MINUTE_MS) };
  return { type: "event", event_type: trigger.event_type, where: trigger.where, key_prop: trigger.key ?? null };
}

function compileExits(campaign: Campaign): ExitRule[] {
  const always = campaign.trigger === "cart_abandonment" ? ["purchase"] : [];
  const rules = [...always, ...(campaign.exit_on ?? [])].map((rule) =>
    typeof rule === "string" ? { event_type: rule, where: [], reason: rule } : { ...rule, reason: rule.event_type },
  );
  const unconditional = new Set(rules.filter((rule) => rule.where.length === 0).map((rule) => rule.event_type));
  const named = [...unconditional].map((type): ExitRule => ({ event_type: type, where: [], reason: type }));
  return [...named, ...rules.filter((rule) => !unconditional.has(rule.event_type))];
}

function compileReEntry({ re_entry }: Campaign): ReEntry {
  if (typeof re_entry === "object")
    return { rule: "cool_down", after_ms: Math.round(re_entry.cool_down_minutes * MINUTE_MS) };
  return { rule: re_entry ?? "after_exit" };
}

type Graph = Pick<JourneyDefinition, "start" | "nodes">;

/** A chain of delay and message, delay and message, in the order of their delays. */
function compileSchedule(schedule: NonNullable<Campaign["schedule"]>): Graph {
  const steps = schedule.toSorted((a, b) => a.delay_minutes - b.delay_minutes);
  const nodes: Record<string, JourneyNode> = {};
  for (const [i, step] of steps.entries()) {
    const ms = Math.round(step.delay_minutes * MINUTE_MS);
    const gapMs = i === 0 ? 0 : ms - Math.round(steps[i - 1]!.delay_minutes * MINUTE_MS);
    const next = i + 1 < steps.length ? `delay-${i + 2}` : "exit";
    nodes[`delay-${i + 1}`] = {
      type: "delay",
      ms,
      since: "entry",
      apart_ms: Math.min(gapMs, APART_MS),
      next: `message-${i + 1}`,
    };
    nodes[`message-${i + 1}`] = { type: "message", ...readAction(step.action), next };
  }
  nodes["exit"] = { type: "exit", reason: "completed" };
  return { start: "delay-1", nodes };
}

function readAction(action: string): { channel: Channel; template: string } {
  const [, channel, template] = ACTION.exec(action)!;
  return { channel: channel === "whatsapp_template" ? "whatsapp" : (channel as Channel), template: template!.trim() };
}

/** A run of an inactivity campaign begins when the person is seen and then waits for them to be away. */
function withInactivity(graph: Graph, trigger: Trigger): Graph {
  if (trigger.type !== "inactivity") return graph;
  let id = "away";
  while (Object.hasOwn(graph.nodes, id)) id += "_";
  return {
    start: id,
    nodes: { [id]: { type: "inactivity", after_ms: trigger.after_ms, next: graph.start }, ...graph.nodes },
  };
}

function namedEvents(trigger: Trigger, exits: readonly ExitRule[]): string[] {
  const exiting = exits.map((rule) => rule.event_type);
  return trigger.type === "event" ? [trigger.event_type, ...exiting] : exiting;
}

function warningsOf(campaign: Campaign, definition: JourneyDefinition): Fault[] {
  const warnings: Fault[] = [];
  const delays = (campaign.schedule ?? []).map((step) => step.delay_minutes);
  if (delays.some((delay, i) => i > 0 && delay < delays[i - 1]!)) {
    warnings.push({ path: "/schedule", reason: "is not in the order of its delays; it runs in that order" });
  }
  if (templatesOf(definition).length === 0) warnings.push({ path: "/journey", reason: "sends no message" });
  const { trigger, exit_on } = definition;
  if (
    trigger.type === "event" &&
    exit_on.some((rule) => rule.event_type === trigger.event_type && rule.where.length === 0)
  ) {
    warnings.push({ path: "/exit_on", reason: `"${trigger.event_type}" both starts and ends a run` });
  }
  return warnings;
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
