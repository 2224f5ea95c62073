import { z } from "zod";

import { describeDuration, describeTime } from "../words.ts";
import { defineNode } from "./kind.ts";
import { durationMsSchema, nodeIdSchema } from "./schemas.ts";

/**
 * Waits `ms` from the entry or from here. What is due in the past is due now: after a late event, a pause or an outage the
 * message still goes. But messages that were planned apart stay apart: `apart_ms` is the least time since the
 * run's latest message, so that a run that was held for two days does not say everything at once.
 */
export interface DelayNode {
  type: "delay";
  ms: number;
  since: "entry" | "here";
  apart_ms: number;
  next: string;
}

export const delayNode = defineNode<DelayNode, null>({
  type: "delay",
  schema: () =>
    z.strictObject({
      type: z.literal("delay"),
      ms: durationMsSchema(),
      since: z.enum(["entry", "here"]).default("here"),
      apart_ms: durationMsSchema().default(0),
      next: nodeIdSchema(),
    }),
  edges: (node) => [{ path: "/next", to: node.next }],
  takesTime: (node) => node.since === "here" && node.ms > 0,
  listensTo: () => [],

  enter(node, { nowMs, entryAtMs, enteredAtMs, lastSentAtMs }) {
    const planned = (node.since === "entry" ? entryAtMs : enteredAtMs) + node.ms;
    const dueMs = lastSentAtMs === null ? planned : Math.max(planned, lastSentAtMs + node.apart_ms);
    if (dueMs <= nowMs) return { type: "go", to: node.next };
    return { type: "stay", want: { type: "wait", until_ms: dueMs }, memo: null };
  },

  receive: (node, input) => (input.type === "timer" ? { type: "go", to: node.next } : { type: "keep", memo: null }),

  why: (node, _visit, untilMs) =>
    `waits until ${describeTime(untilMs)}, ${describeDuration(node.ms)} after ${node.since === "entry" ? "the entry" : "the step before"}`,
});
