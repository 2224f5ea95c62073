import { z } from "zod";

import { type Channel, CHANNELS } from "../../channel.ts";
import type { RunEvent, SendOutcome } from "../../contracts/journey.ts";
import { AppError } from "../../errors.ts";
import { describeTime } from "../words.ts";
import { type Decision, defineNode, type Want } from "./kind.ts";
import { nodeIdSchema } from "./schemas.ts";

export interface MessageNode {
  type: "message";
  channel: Channel;
  template: string;
  next: string;
}

/** Events that come while a message is under way are kept for a wait that may follow: an answer can be that quick. */
const MAX_KEPT_EVENTS = 20;
/** A limit that says "now" is asked again no sooner than this. */
const MIN_PAUSE_MS = 1000;
const UNREADABLE_PAUSE_MS = 60_000;

interface Memo {
  phase: "sending" | "limited" | "held";
  reason: string;
  /** The campaign was resumed while the answer "held" was still on its way. */
  resumed: boolean;
  events: RunEvent[];
}

export const messageNode = defineNode<MessageNode, Memo>({
  type: "message",
  schema: () =>
    z.strictObject({
      type: z.literal("message"),
      channel: z.enum(CHANNELS),
      template: z.string().min(1).max(128),
      next: nodeIdSchema(),
    }),
  edges: (node) => [{ path: "/next", to: node.next }],
  takesTime: () => false,
  listensTo: () => [],
  enter: (node) => send(node, []),

  receive(node, input, { memo, nowMs }) {
    switch (input.type) {
      case "event":
        return { type: "keep", memo: { ...memo, events: [...memo.events, input.event].slice(-MAX_KEPT_EVENTS) } };
      case "sent":
        return afterSend(node, input.outcome, memo, nowMs);
      case "timer":
        return memo.phase === "limited" ? send(node, memo.events) : { type: "keep", memo };
      case "resume":
        return memo.phase === "held"
          ? send(node, memo.events)
          : { type: "keep", memo: { ...memo, resumed: memo.phase === "sending" } };
      default:
        return { type: "keep", memo };
    }
  },

  why(node, { memo }, untilMs) {
    const what = `${node.channel} message "${node.template}"`;
    if (memo.phase === "held") return `${what} waits until the campaign is resumed (${memo.reason})`;
    if (memo.phase === "limited") return `${what} is tried again at ${describeTime(untilMs)} (${memo.reason})`;
    return `${what} is being handed over`;
  },
});

function send(node: MessageNode, events: RunEvent[]): Decision<Memo> {
  const want: Want = { type: "send", channel: node.channel, template: node.template };
  return { type: "stay", want, memo: { phase: "sending", reason: "", resumed: false, events } };
}

function afterSend(node: MessageNode, outcome: SendOutcome, memo: Memo, nowMs: number): Decision<Memo> {
  switch (outcome.outcome) {
    case "submitted":
    case "unknown":
      return { type: "go", to: node.next, sent: true, carry: memo.events };
    case "skipped":
    case "failed":
      return { type: "go", to: node.next, carry: memo.events };
    case "limited":
      return pause(memo, "limited", outcome.reason, retryTime(outcome.retry_at, nowMs));
    case "held":
      return memo.resumed ? send(node, memo.events) : pause(memo, "held", outcome.reason, null);
    case "stopped":
      return { type: "end", state: "stopped", reason: outcome.reason };
    default:
      throw new AppError("invalid", `unknown outcome of a message: ${JSON.stringify(outcome satisfies never)}`);
  }
}

function pause(memo: Memo, phase: "limited" | "held", reason: string, untilMs: number | null): Decision<Memo> {
  return { type: "stay", want: { type: "wait", until_ms: untilMs }, memo: { ...memo, phase, reason } };
}

function retryTime(retryAt: string, nowMs: number): number {
  const atMs = Date.parse(retryAt);
  return Number.isNaN(atMs) ? nowMs + UNREADABLE_PAUSE_MS : Math.max(atMs, nowMs + MIN_PAUSE_MS);
}
