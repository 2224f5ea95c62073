import { describe, expect, it } from "vitest";

import { delay, exit, journey, message, MINUTE, startByHand, submitted, T0 } from "../../test/support/run-by-hand.ts";
import { isAppError } from "../errors.ts";
import type { JourneyNode } from "./nodes/index.ts";

const cart = journey({
  wait: delay(30, "remind"),
  remind: message("day"),
  day: delay(1440, "coupon", 60),
  coupon: { type: "message", channel: "email", template: "coupon", next: "end" },
  end: exit,
});

describe("a cart journey", () => {
  it("reminds after 30 minutes and sends the coupon a day after the entry", () => {
    const run = startByHand(cart);
    expect(run.pending).toMatchObject({ type: "wait", until_ms: T0 + 30 * MINUTE });
    expect(run.at(29)).toBeUndefined();
    expect(run.at(30)).toMatchObject({ type: "send", channel: "whatsapp", template: "reminder", node_id: "remind" });
    expect(run.answer(submitted)).toMatchObject({ type: "wait", until_ms: T0 + 1440 * MINUTE });
    expect(run.at(1440)).toMatchObject({ type: "send", channel: "email", template: "coupon" });
    expect(run.answer(submitted)).toMatchObject({ type: "end", state: "completed", reason: "completed" });
  });

  it("is silent after a stop, whatever comes", () => {
    const run = startByHand(cart);
    expect(run.at(10, { type: "stop", reason: "purchase" })).toMatchObject({
      type: "end",
      state: "stopped",
      reason: "purchase",
    });
    expect(run.at(31)).toBeUndefined();
    expect(run.feed({ type: "resume" })).toBeUndefined();
    expect(run.pending).toMatchObject({ type: "end", state: "stopped" });
  });

  it("ends when the ledger says that it may no longer send", () => {
    const run = startByHand(cart);
    run.at(30);
    expect(run.answer({ outcome: "stopped", reason: "purchase" })).toMatchObject({
      type: "end",
      state: "stopped",
      reason: "purchase",
    });
  });

  it.each(["skipped", "failed", "unknown"] as const)("goes on after a message that was %s", (outcome) => {
    const run = startByHand(cart);
    run.at(30);
    expect(run.answer({ outcome, delivery_id: "d", reason: "because" })).toMatchObject({
      type: "wait",
      node_id: "day",
    });
  });

  it("tries again when the limit allows", () => {
    const run = startByHand(cart);
    run.at(30);
    run.answer({ outcome: "limited", reason: "quota", retry_at: new Date(T0 + 45 * MINUTE).toISOString() });
    expect(run.pending).toMatchObject({ type: "wait", until_ms: T0 + 45 * MINUTE });
    expect(run.why).toContain("quota");
    expect(run.at(45)).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("keeps its place while the campaign is paused", () => {
    const run = startByHand(cart);
    run.at(30);
    run.answer({ outcome: "held", reason: "campaign_paused" });
    expect(run.pending).toMatchObject({ type: "wait", until_ms: null, node_id: "remind" });
    expect(run.at(3000)).toBeUndefined();
    expect(run.feed({ type: "resume" })).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("sends at once when the resumption overtakes the answer that it is held", () => {
    const run = startByHand(cart);
    run.at(30);
    run.feed({ type: "resume" });
    expect(run.answer({ outcome: "held", reason: "campaign_paused" })).toMatchObject({
      type: "send",
      node_id: "remind",
    });
  });

  it("keeps messages apart after it was held for days", () => {
    const run = startByHand(cart);
    run.at(30);
    run.answer({ outcome: "held", reason: "campaign_paused" });
    run.at(3000, { type: "resume" });
    expect(run.answer(submitted)).toMatchObject({ type: "wait", until_ms: T0 + 3060 * MINUTE });
  });

  it("sends at once what was due before a late start", () => {
    expect(startByHand(cart, T0 + 40 * MINUTE).pending).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("takes an old answer for no other message's", () => {
    const run = startByHand(journey({ first: message("second"), second: message("end"), end: exit }));
    const { id } = run.pending;
    expect(run.answer(submitted)).toMatchObject({ type: "send", node_id: "second" });
    expect(run.feed({ type: "sent", id, outcome: submitted })).toBeUndefined();
    expect(run.pending).toMatchObject({ type: "send", node_id: "second" });
  });

  it("hears an answer once", () => {
    const run = startByHand(cart);
    const send = run.at(30)!;
    run.answer(submitted);
    expect(run.feed({ type: "sent", id: send.id, outcome: { outcome: "held", reason: "x" } })).toBeUndefined();
    expect(run.pending).toMatchObject({ node_id: "day" });
  });
});

it("refuses a node of a type it does not know rather than passing it over", () => {
  const strange = journey({ odd: { type: "teleport", next: "end" } as never, end: exit });
  expect(() => startByHand(strange)).toThrow(expect.toSatisfy((error) => isAppError(error, "invalid")));
});

it("gives each visit of a message its own name", () => {
  const run = startByHand(
    journey({ remind: message("pause"), pause: { ...delay(10, "remind"), since: "here" } as JourneyNode, end: exit }),
  );
  expect(run.pending).toMatchObject({ node_id: "remind" });
  run.answer(submitted);
  expect(run.at(10)).toMatchObject({ type: "send", node_id: "remind~2" });
});
