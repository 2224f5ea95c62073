import * as fc from "fast-check";
import { expect, it } from "vitest";

import { allHold, type Condition, lookUp } from "../condition.ts";
import type { PersonFacts } from "../contracts/journey.ts";
import type { JourneyDefinition } from "./definition.ts";
import { type Effect, step } from "./reducer.ts";
import { validateJourney } from "./validate.ts";

const ENTRY = { event_id: "e1", event_type: "add_to_cart", at: "2026-11-21T10:00:00.000Z", key: "" };
const AT = Date.parse(ENTRY.at);

const branching = (when: Condition[]): JourneyDefinition => ({
  trigger: { type: "event", event_type: "add_to_cart", where: [], key_prop: null },
  audience: [],
  exit_on: [],
  re_entry: { rule: "after_exit" },
  start: "which",
  nodes: {
    which: { type: "branch", branches: [{ when, next: "yes" }], otherwise: "no" },
    yes: { type: "exit", reason: "yes" },
    no: { type: "exit", reason: "no" },
  },
});

/** Asks and answers as the workflow and its activity do; what was asked for, and the way that was taken. */
function travel(when: Condition[], props: Record<string, unknown>) {
  const definition = branching(when);
  expect(validateJourney(definition)).toEqual([]);
  const { state } = step(definition, null, { type: "start", entry: ENTRY }, AT);
  const asked = state.pending as Extract<Effect, { type: "read_person" }>;
  const found = (asked.entry_paths ?? []).map((path) => [path, lookUp(props, path)]);
  const facts: PersonFacts = { attributes: {}, last_seen_at: null, last_event_at: {} };
  if (asked.entry_paths) facts.entry = JSON.parse(JSON.stringify(Object.fromEntries(found)));
  const { effects } = step(definition, state, { type: "person", id: asked.id, facts }, AT);
  return { asked, took: (effects[0] as Extract<Effect, { type: "end" }>).reason };
}

it("asks about the event that began the run, and only what it must know", () => {
  const when: Condition[] = [
    { path: "entry.total", op: "gte", value: 1000 },
    { path: "entry.shop.name", op: "eq", value: "Pune" },
    { path: "attributes.vip", op: "ne", value: true },
  ];
  const { asked, took } = travel(when, { total: 1000, shop: { name: "Pune" }, secret: "s" });
  expect(asked.entry_paths).toEqual(["total", "shop.name"]);
  expect(took).toBe("yes");
  expect(travel(when, { total: 999, shop: { name: "Pune" } }).took).toBe("no");
  expect(travel(when, {}).took).toBe("no");
});

it("wants of a journey that does not ask nothing else than before", () => {
  const { asked } = travel([{ path: "attributes.vip", op: "eq", value: true }], {});
  expect(asked).toEqual({ type: "read_person", id: "1", node_id: "which" });
});

it("decides as the same condition on the props themselves would", () => {
  const name = fc.constantFrom("a", "b", "a.b", "__proto__");
  const scalar = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "y"), fc.boolean());
  const props = fc.dictionary(name, fc.oneof(scalar, fc.array(scalar), fc.dictionary(name, scalar)));
  const condition: fc.Arbitrary<Condition> = fc.record({
    path: fc.constantFrom("a", "b", "a.b", "b.a", "__proto__", "toString", "a.length"),
    op: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "exists"),
    value: fc.oneof(scalar, fc.array(scalar)),
  });
  fc.assert(
    fc.property(props, fc.array(condition, { minLength: 1, maxLength: 3 }), (props, conditions) => {
      const asked = conditions.map((each) => ({ ...each, path: `entry.${each.path}` }));
      expect(travel(asked, props).took).toBe(allHold(conditions, props) ? "yes" : "no");
    }),
  );
});
