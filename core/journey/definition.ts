import { z } from "zod";

import { type Condition, conditionSchema } from "../condition.ts";
import { type JourneyNode, kindOf, NODE_TYPES } from "./nodes/index.ts";
import { nodeIdSchema } from "./nodes/schemas.ts";

/** What starts a run. */
export type Trigger =
  | { type: "event"; event_type: string; where: Condition[]; key_prop: string | null }
  | { type: "inactivity"; after_ms: number };

/** An event that ends a run, and what the run's end is put down to. */
export interface ExitRule {
  event_type: string;
  where: Condition[];
  reason: string;
}

/** When the same person and key may enter again; never while a run is open. */
export type ReEntry = { rule: "once" | "after_exit" } | { rule: "cool_down"; after_ms: number };

/** A published journey: the graph that a campaign runs. Immutable; runs carry its version and hash. */
export interface JourneyDefinition {
  trigger: Trigger;
  /** Who may enter, decided at the entry; empty lets everyone in. */
  audience: Condition[];
  /** Any of these ends the run at once: nothing goes out afterwards. */
  exit_on: ExitRule[];
  re_entry: ReEntry;
  /** The first node. */
  start: string;
  nodes: Record<string, JourneyNode>;
}

export const MAX_NODES = 200;

/** The graph by itself, as people write it; `validateJourney` then looks at how it hangs together. */
export const journeyGraphSchema = () =>
  z
    .strictObject({
      start: nodeIdSchema(),
      nodes: z.record(nodeIdSchema(), journeyNodeSchema()).meta({ description: `At most ${MAX_NODES}, by id.` }),
    })
    .meta({ id: "JourneyGraph" });

const journeyNodeSchema = () => {
  const schemas = NODE_TYPES.map((type) => kindOf({ type }).schema() as unknown as z.core.$ZodTypeDiscriminable);
  return z
    .discriminatedUnion("type", schemas as [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]])
    .meta({
      id: "JourneyNode",
    }) as unknown as z.ZodType<JourneyNode>;
};

export const exitRuleSchema = () =>
  z.strictObject({
    event_type: z.string().min(1).max(128),
    where: z.array(conditionSchema()).max(50).default([]),
  });
