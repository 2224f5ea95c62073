import { expect, test } from "vitest";

import { compileCampaign } from "../campaign.ts";
import { eventTypesOf } from "./event-types.ts";

function typesOf(more: object): string[] | null {
  const schedule = [{ delay_minutes: 1, action: "email:a" }];
  const compiled = compileCampaign({ campaign_id: "c", trigger: "event:go", schedule, ...more });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const types = eventTypesOf(compiled.definition);
  return types && [...types].toSorted();
}

const waitFor = (more: object) => ({
  schedule: undefined,
  journey: {
    start: "w",
    nodes: {
      w: { type: "wait-until", timeout_ms: 1_000, next: "end", on_timeout: "end", ...more },
      end: { type: "exit", reason: "done" },
    },
  },
});

test.each([
  ["the trigger", {}, ["go"]],
  ["what ends a run", { trigger: "cart_abandonment" }, ["add_to_cart", "purchase"]],
  ["what is waited for", waitFor({ events: [{ event_type: "reply" }] }), ["go", "reply"]],
  [
    "what the audience has done, since their last purchase",
    { audience_query: "select user_id from segments where go = true" },
    ["go", "purchase"],
  ],
  ["who tells attributes", { audience_query: "select user_id from segments where plan = 'gold'" }, ["go", "identify"]],
  [
    "all: anything tells where somebody is",
    { audience_query: "select user_id from segments where country = 'IN'" },
    null,
  ],
  ["all: after anything a person is looked at again", waitFor({ conditions: [{ path: "attributes.vip" }] }), null],
  ["all: anybody who was seen enters", { trigger: { type: "inactivity", after_minutes: 5 } }, null],
])("%s", (_, more, types) => {
  expect(typesOf(more)).toEqual(types);
});
