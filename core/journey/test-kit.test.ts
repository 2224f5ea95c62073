import { expect, test } from "vitest";

import { SEED_CAMPAIGN as cart } from "../../test/support/seed-campaign.ts";
import { rehearse } from "./test-kit.ts";

const inCart = (cart_id: string) => ({ cart_id });

test("a cart left behind: WhatsApp after 30 minutes, e-mail after a day", () => {
  const { rehearsal } = rehearse(cart)
    .given()
    .event("add_to_cart", inCart("c1"))
    .expectSilence()
    .advance("29m 59s")
    .expectSilence()
    .advance("2s")
    .expectMessage("whatsapp", "reminder")
    .expectAt("delay-2")
    .advance("1d")
    .expectMessage("email", "coupon")
    .expectEnd("completed");
  expect(rehearsal.messages).toHaveLength(2);
});

test("silence the moment the customer buys; the next cart is another run", () => {
  const { rehearsal } = rehearse(cart)
    .given()
    .event("add_to_cart", inCart("c1"))
    .advance("31m")
    .expectMessage("whatsapp", "reminder")
    .event("purchase")
    .expectEnd("stopped", "purchase")
    .advance("2d")
    .expectSilence()
    .event("add_to_cart", inCart("c1"))
    .expectRuns(2)
    .advance("31m")
    .expectMessage("whatsapp", "reminder");
  expect(rehearsal.runs.map(({ state }) => state)).toEqual(["stopped", "active"]);
});

test("a second product in the same cart begins nothing, another cart does", () => {
  const kit = rehearse(cart).given().event("add_to_cart", inCart("c1")).event("add_to_cart", inCart("c1"));
  kit.expectRuns(1).event("add_to_cart", inCart("c2")).expectRuns(2);
  expect(kit.rehearsal.refusals.map(({ reason }) => reason)).toEqual(["open"]);
  expect(() => kit.advance("31m").expectMessage("whatsapp", "reminder")).toThrow(
    /expected one whatsapp message "reminder", but: .*run "c1".*run "c2".*whatsapp "reminder" at .* submitted; whatsapp "reminder"/,
  );
});

const graph = {
  campaign_id: "graph",
  trigger: { type: "event", event_type: "order", where: [{ path: "total", op: "gte", value: 100 }], key: "order_id" },
  audience_query: "select user_id from segments where plan <> 'free'",
  re_entry: { cool_down_minutes: 60 },
  journey: {
    start: "which",
    nodes: {
      which: {
        type: "branch",
        branches: [{ when: [{ path: "entry.gift", value: true }], next: "thanks" }],
        otherwise: "reply",
      },
      reply: {
        type: "wait-until",
        events: [{ event_type: "reply", where: [{ path: "text", op: "eq", value: "yes" }] }],
        timeout_ms: 600_000,
        next: "thanks",
        on_timeout: "end",
      },
      thanks: { type: "message", channel: "sms", template: "thanks", next: "end" },
      end: { type: "exit", reason: "done" },
    },
  },
};

const gold = () => rehearse(graph).given({ attributes: { plan: "gold" } });

test("a branch asks the entry, a wait hears the answer that fits, and a time-out goes its own way", () => {
  gold()
    .event("order", { order_id: "1", total: 100, gift: true })
    .expectMessage("sms", "thanks")
    .expectEnd("completed");
  gold()
    .event("order", { order_id: "1", total: 100 })
    .event("reply", { text: "no" })
    .expectAt("reply")
    .event("reply", { text: "yes" })
    .expectMessage("sms", "thanks");
  const silent = gold().event("order", { order_id: "1", total: 100 }).advance("10m").expectEnd("completed", "done");
  expect(silent.rehearsal.messages).toEqual([]);
});

test("who does not enter is told of, with the reason", () => {
  const kit = rehearse(graph).given({ attributes: { plan: "free" } });
  kit.event("order", { order_id: "1", total: 99 }).event("order", { order_id: "1", total: 100 });
  kit.event("identify", { plan: "gold" }).event("order", { order_id: "1", total: 100 }).advance("20m");
  kit.event("order", { order_id: "1", total: 100 }).advance("41m").event("order", { order_id: "1", total: 100 });
  expect(kit.rehearsal.refusals.map(({ reason }) => reason)).toEqual(["where", "audience", "re_entry"]);
  kit.expectRuns(2);
});

test("what becomes of a message is the test's to say", () => {
  const later = "2026-01-05T12:00:00.000Z";
  let isQuiet = true;
  const deliver = () =>
    isQuiet
      ? ({ outcome: "limited", reason: "quiet_hours", retry_at: later } as const)
      : ({ outcome: "submitted", delivery_id: "d" } as const);
  const kit = rehearse(cart).given({ deliver }).event("add_to_cart").advance("31m");
  expect(kit.rehearsal.runs[0]).toMatchObject({ state: "active", why: expect.stringContaining("quiet_hours") });
  isQuiet = false;
  kit.advance("3h").expectAt("delay-2");
  expect(kit.rehearsal.messages.map(({ at_ms, outcome }) => [new Date(at_ms).toISOString(), outcome.outcome])).toEqual([
    ["2026-01-05T09:30:00.000Z", "limited"],
    [later, "submitted"],
  ]);
});

test("inactivity: seen again, the time begins anew", () => {
  const away = {
    campaign_id: "away",
    trigger: { type: "inactivity", after_minutes: 60 },
    schedule: [{ delay_minutes: 0, action: "push:come" }],
  };
  const { rehearsal } = rehearse(away)
    .given()
    .event("page_view")
    .advance("50m")
    .event("page_view")
    .expectRuns(1)
    .advance("59m")
    .expectSilence()
    .advance("1m")
    .expectMessage("push", "come");
  expect(rehearsal.refusals).toEqual([]);
});

test("what is written wrong is said", () => {
  expect(() => rehearse({ ...cart, trigger: 5 })).toThrow("not valid");
  expect(() => rehearse(cart).given().advance("soon")).toThrow('"soon" is no time: write 90s, 31m or "1d 2h"');
  expect(() => rehearse(cart).given().expectAt("delay-1")).toThrow("nothing has happened");
  expect(() => rehearse(cart).given().event("add_to_cart").expectEnd("completed")).toThrow(
    /the run completed, but: .*waits until/,
  );
});
