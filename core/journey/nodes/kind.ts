import type { z } from "zod";

import type { Channel } from "../../channel.ts";
import type { PersonFacts, RunEvent, SendOutcome } from "../../contracts/journey.ts";

/** Where a node may lead: the place in its JSON that names the target, for faults, and the target. */
export interface Edge {
  path: string;
  to: string;
}

/** What a node sees of its run. All times are epoch milliseconds. */
export interface Visit<Memo> {
  nowMs: number;
  /** What delays count from. */
  entryAtMs: number;
  /** When the run came to this node. */
  enteredAtMs: number;
  /** When the latest message of this run left; null before the first. */
  lastSentAtMs: number | null;
  /** What the node keeps for itself while the run stands at it; JSON. */
  memo: Memo;
}

/** What a node waits for or wants done. The reducer gives each an id; only the answer to the latest is heard. */
export type Want =
  | { type: "send"; channel: Channel; template: string }
  | { type: "read_person"; entry_paths?: string[] }
  /** Until a time (null: without limit), an event, or the resumption of a paused campaign: whichever the node listens to. */
  | { type: "wait"; until_ms: number | null };

export type Decision<Memo> =
  | { type: "stay"; want: Want; memo: Memo }
  | {
      type: "go";
      to: string;
      /** A message left, as far as anyone knows. */
      sent?: boolean;
      /** From now on delays count from here. */
      entryAtMs?: number;
      /** Events that came meanwhile and are the next node's to judge. */
      carry?: RunEvent[];
      /** The event that this node waited for: it is not to satisfy another wait. */
      consumed?: string;
    }
  | { type: "end"; state: "completed" | "stopped" | "failed"; reason: string }
  /** Keeps waiting as before, with another memo. */
  | { type: "keep"; memo: Memo };

/** What can happen to a run that stands at a node. `timer` comes only once the time waited for has been reached. */
export type NodeInput =
  | { type: "timer" }
  | { type: "event"; event: RunEvent }
  | { type: "sent"; outcome: SendOutcome }
  | { type: "person"; facts: PersonFacts }
  | { type: "resume" };

/** A type of node: one file, and one line in `nodes/index.ts`. All of it pure. */
export interface NodeKind<Node extends { type: string }, Memo> {
  type: Node["type"];
  /** Lazy: workflow bundles leave zod out. */
  schema: () => z.ZodType<Node>;
  edges(node: Node): Edge[];
  /** Whether a run that passes here always takes time or an event from outside: every cycle needs such a node. */
  takesTime(node: Node): boolean;
  /** What the node asks of a person, with the place in its JSON; nothing where it asks nothing. */
  asks?(node: Node): { path: string; fact: string }[];
  /** Events that a run standing here wants to hear of; `*` is all of the person's. */
  listensTo(node: Node): { event_type: string; paths: string[] }[];
  enter(node: Node, visit: Omit<Visit<Memo>, "memo">): Decision<Memo>;
  receive(node: Node, input: NodeInput, visit: Visit<Memo>): Decision<Memo>;
  /** Why the run stands here, for people. */
  why(node: Node, visit: Visit<Memo>, untilMs: number | null): string;
}

export function defineNode<Node extends { type: string }, Memo>(kind: NodeKind<Node, Memo>): NodeKind<Node, Memo> {
  return kind;
}
