import { z } from "zod";

import { allHold, type Condition, conditionSchema } from "../../condition.ts";
import { askFor, factsForConditions } from "../facts.ts";
import { defineNode } from "./kind.ts";
import { nodeIdSchema } from "./schemas.ts";

/** The first branch all of whose conditions hold for the person at this moment, or else `otherwise`. */
export interface BranchNode {
  type: "branch";
  branches: { when: Condition[]; next: string }[];
  otherwise: string;
}

export const branchNode = defineNode<BranchNode, null>({
  type: "branch",
  schema: () =>
    z.strictObject({
      type: z.literal("branch"),
      branches: z
        .array(z.strictObject({ when: z.array(conditionSchema()).min(1).max(50), next: nodeIdSchema() }))
        .min(1)
        .max(20),
      otherwise: nodeIdSchema(),
    }),
  edges: (node) => [
    ...node.branches.map((branch, i) => ({ path: `/branches/${i}/next`, to: branch.next })),
    { path: "/otherwise", to: node.otherwise },
  ],
  takesTime: () => false,
  asks: (node) =>
    node.branches.flatMap((branch, i) =>
      branch.when.map(({ path: fact }, j) => ({ path: `/branches/${i}/when/${j}/path`, fact })),
    ),
  listensTo: () => [],
  enter: (node) => ({ type: "stay", want: askFor(node.branches.flatMap((branch) => branch.when)), memo: null }),

  receive(node, input, { entryAtMs }) {
    if (input.type !== "person") return { type: "keep", memo: null };
    const facts = factsForConditions(input.facts, entryAtMs);
    return { type: "go", to: node.branches.find((branch) => allHold(branch.when, facts))?.next ?? node.otherwise };
  },

  why: (node) => `is deciding between ${node.branches.length + 1} branches`,
});
