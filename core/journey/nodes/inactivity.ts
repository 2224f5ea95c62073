import { z } from "zod";

import { describeDuration, describeTime } from "../words.ts";
import { defineNode } from "./kind.ts";
import { durationMsSchema, nodeIdSchema } from "./schemas.ts";

/**
 * Waits until nothing has been seen of the person for `after_ms`. Sleeps and then looks, so that an event costs it nothing.
 * What follows counts its delays from the moment at which the person had been away for that long.
 */
export interface InactivityNode {
  type: "inactivity";
  after_ms: number;
  next: string;
}

export const inactivityNode = defineNode<InactivityNode, null>({
  type: "inactivity",
  schema: () =>
    z.strictObject({
      type: z.literal("inactivity"),
      after_ms: durationMsSchema().min(1000),
      next: nodeIdSchema(),
    }),
  edges: (node) => [{ path: "/next", to: node.next }],
  // A person who is away already passes at once.
  takesTime: () => false,
  listensTo: () => [],
  enter: (node, { entryAtMs }) => sleep(entryAtMs + node.after_ms),

  receive(node, input, { nowMs, entryAtMs }) {
    if (input.type === "timer") return { type: "stay", want: { type: "read_person" }, memo: null };
    if (input.type !== "person") return { type: "keep", memo: null };
    const seenAtMs = Math.max(entryAtMs, input.facts.last_seen_at === null ? 0 : Date.parse(input.facts.last_seen_at));
    const awayAtMs = seenAtMs + node.after_ms;
    return awayAtMs > nowMs ? sleep(awayAtMs) : { type: "go", to: node.next, entryAtMs: awayAtMs };
  },

  why: (node, _visit, untilMs) =>
    `looks at ${describeTime(untilMs)} whether the person has been away for ${describeDuration(node.after_ms)}`,
});

function sleep(untilMs: number) {
  return { type: "stay", want: { type: "wait", until_ms: untilMs }, memo: null } as const;
}
