import { AppError } from "../../errors.ts";
import { type BranchNode, branchNode } from "./branch.ts";
import { type DelayNode, delayNode } from "./delay.ts";
import { type ExitNode, exitNode } from "./exit.ts";
import { type InactivityNode, inactivityNode } from "./inactivity.ts";
import type { NodeKind } from "./kind.ts";
import { type MessageNode, messageNode } from "./message.ts";
import { type WaitUntilNode, waitUntilNode } from "./wait-until.ts";

/** Every type of node. A new one is a file beside this one, and its lines here. */
export type JourneyNode = MessageNode | DelayNode | WaitUntilNode | BranchNode | InactivityNode | ExitNode;

const KINDS = {
  message: messageNode,
  delay: delayNode,
  "wait-until": waitUntilNode,
  branch: branchNode,
  inactivity: inactivityNode,
  exit: exitNode,
} satisfies { [Type in JourneyNode["type"]]: { type: Type } };

export type AnyNodeKind = NodeKind<JourneyNode, unknown>;

export const NODE_TYPES = Object.keys(KINDS) as JourneyNode["type"][];

/** Throws `invalid` for a type that this version does not know: a node must never be passed over. */
export function kindOf(node: { type: string }): AnyNodeKind {
  if (!Object.hasOwn(KINDS, node.type)) throw new AppError("invalid", `unknown type of node: ${node.type}`);
  // A kind is only ever handed nodes of its own type and memos that it made itself.
  return KINDS[node.type as JourneyNode["type"]] as unknown as AnyNodeKind;
}
