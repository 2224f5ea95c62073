import type { JourneyNode } from "./nodes/index.ts";
import type { Condition } from "../condition.ts";

/** What starts a run. */
export type Trigger =
  | { type: "event"; event_type: string; where: Condition[]; key_prop: string | null }
  | { type: "inactivity"; after_ms: number };

/** A published journey: the graph that a campaign runs. Immutable; runs carry its version and hash. */
export interface JourneyDefinition {
  trigger: Trigger;
  /** Who may enter, decided at the entry; empty lets everyone in. */
  audience: Condition[];
  /** Any of these ends the run at once: nothing goes out afterwards. */
  exit_on: { event_type: string; where: Condition[]; reason: string }[];
  /** When the same person and key may enter again. */
  re_entry: { rule: "once" | "after_exit" } | { rule: "cool_down"; after_ms: number };
  /** The first node. */
  start: string;
  nodes: Record<string, JourneyNode>;
}
