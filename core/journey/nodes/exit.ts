import { z } from "zod";

import { defineNode } from "./kind.ts";

/** The end of the journey for this run. */
export interface ExitNode {
  type: "exit";
  reason: string;
}

export const exitNode = defineNode<ExitNode, null>({
  type: "exit",
  schema: () => z.strictObject({ type: z.literal("exit"), reason: z.string().min(1).max(128).default("completed") }),
  edges: () => [],
  takesTime: () => false,
  listensTo: () => [],
  enter: (node) => ({ type: "end", state: "completed", reason: node.reason }),
  receive: () => ({ type: "keep", memo: null }),
  why: (node) => `ended: ${node.reason}`,
});
