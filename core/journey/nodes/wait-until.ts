import { z } from "zod";

import { allHold, type Condition, conditionSchema } from "../../condition.ts";
import type { RunEvent } from "../../contracts/journey.ts";
import { askFor, factsForConditions } from "../facts.ts";
import { describeTime } from "../words.ts";
import { type Decision, defineNode, type Visit, type Want } from "./kind.ts";
import { durationMsSchema, nodeIdSchema } from "./schemas.ts";

/**
 * Goes to `next` when one of the events comes, or when all conditions hold for the person (looked at on arrival and again
 * when the person does something); to `on_timeout` when neither has happened in time. Events count from the moment the
 * run came here, or from the start of the message just before.
 */
export interface WaitUntilNode {
  type: "wait-until";
  events: { event_type: string; where: Condition[] }[];
  conditions: Condition[];
  timeout_ms: number;
  next: string;
  on_timeout: string;
}

/** A busy person is looked at no more often than this. */
const LOOK_AGAIN_MS = 30_000;

interface Memo {
  deadlineMs: number;
  lookedAtMs: number;
  /** Something happened since the person was last looked at. */
  stale: boolean;
  looking: boolean;
}

export const waitUntilNode = defineNode<WaitUntilNode, Memo>({
  type: "wait-until",
  schema: () =>
    z
      .strictObject({
        type: z.literal("wait-until"),
        events: z
          .array(
            z.strictObject({
              event_type: z.string().min(1).max(128),
              where: z.array(conditionSchema()).max(50).default([]),
            }),
          )
          .max(20)
          .default([]),
        conditions: z.array(conditionSchema()).max(50).default([]),
        timeout_ms: durationMsSchema().min(1),
        next: nodeIdSchema(),
        on_timeout: nodeIdSchema(),
      })
      .refine((node) => node.events.length + node.conditions.length > 0, {
        path: ["events"],
        error: "name at least one event or condition to wait for",
      }),
  edges: (node) => [
    { path: "/next", to: node.next },
    { path: "/on_timeout", to: node.on_timeout },
  ],
  asks: (node) => node.conditions.map(({ path: fact }, i) => ({ path: `/conditions/${i}/path`, fact })),
  // Conditions may hold already; events are always new.
  takesTime: (node) => node.conditions.length === 0,
  listensTo: (node) => [
    ...node.events.map(({ event_type, where }) => ({ event_type, paths: where.map((condition) => condition.path) })),
    ...(node.conditions.length > 0 ? [{ event_type: "*", paths: [] }] : []),
  ],

  enter(node, { nowMs, enteredAtMs }) {
    const memo = { deadlineMs: enteredAtMs + node.timeout_ms, lookedAtMs: nowMs, stale: false, looking: false };
    return node.conditions.length > 0 ? look(node, memo, nowMs) : wait(memo);
  },

  receive(node, input, visit) {
    switch (input.type) {
      case "event":
        return onEvent(node, input.event, visit);
      case "timer":
        return onTimer(node, visit);
      case "person":
        if (allHold(node.conditions, factsForConditions(input.facts, visit.entryAtMs)))
          return { type: "go", to: node.next };
        return onLooked(node, visit);
      default:
        return { type: "keep", memo: visit.memo };
    }
  },

  why(node, { memo }) {
    const events = node.events.map((event) => event.event_type);
    const waited = [...events, ...(node.conditions.length > 0 ? ["its conditions"] : [])].join(" or ");
    return `waits for ${waited}, at most until ${describeTime(memo.deadlineMs)}`;
  },
});

function onEvent(node: WaitUntilNode, event: RunEvent, { memo, nowMs }: Visit<Memo>): Decision<Memo> {
  const wanted = node.events.some(
    ({ event_type, where }) => event_type === event.event_type && allHold(where, event.props),
  );
  if (wanted) return { type: "go", to: node.next, consumed: event.event_id };
  if (node.conditions.length === 0 || memo.stale) return { type: "keep", memo };
  if (memo.looking) return { type: "keep", memo: { ...memo, stale: true } };
  if (nowMs >= memo.lookedAtMs + LOOK_AGAIN_MS) return look(node, memo, nowMs);
  return wait({ ...memo, stale: true });
}

function onTimer(node: WaitUntilNode, { memo, nowMs }: Visit<Memo>): Decision<Memo> {
  if (nowMs >= memo.deadlineMs) return { type: "go", to: node.on_timeout };
  return memo.stale ? look(node, memo, nowMs) : wait(memo);
}

/** The deadline may have passed while the person was being looked at. */
function onLooked(node: WaitUntilNode, { memo, nowMs }: Visit<Memo>): Decision<Memo> {
  if (nowMs >= memo.deadlineMs) return { type: "go", to: node.on_timeout };
  return wait({ ...memo, looking: false });
}

function look(node: WaitUntilNode, memo: Memo, nowMs: number): Decision<Memo> {
  return {
    type: "stay",
    want: askFor(node.conditions),
    memo: { ...memo, lookedAtMs: nowMs, stale: false, looking: true },
  };
}

function wait(memo: Memo): Decision<Memo> {
  const nextLookMs = memo.stale ? memo.lookedAtMs + LOOK_AGAIN_MS : memo.deadlineMs;
  const want: Want = { type: "wait", until_ms: Math.min(nextLookMs, memo.deadlineMs) };
  return { type: "stay", want, memo };
}
