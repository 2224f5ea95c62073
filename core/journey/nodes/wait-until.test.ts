import { describe, expect, it } from "vitest";

import { exit, journey, message, MINUTE, startByHand, submitted, T0 } from "../../../test/support/run-by-hand.ts";
import type { JourneyNode } from "./index.ts";

describe("wait-until", () => {
  const waiting = journey({
    wait: {
      type: "wait-until",
      events: [{ event_type: "reply", where: [{ path: "answer", op: "eq", value: "yes" }] }],
      conditions: [],
      timeout_ms: 60 * MINUTE,
      next: "thanks",
      on_timeout: "end",
    },
    thanks: message("end"),
    end: exit,
  });

  it("goes on with the event that was waited for", () => {
    const run = startByHand(waiting);
    expect(run.event("reply", { answer: "no" })).toBeUndefined();
    expect(run.event("reply", { answer: "yes" })).toMatchObject({ type: "send", node_id: "thanks" });
  });

  it("takes the other way when the time is over", () => {
    const run = startByHand(waiting);
    expect(run.at(60)).toMatchObject({ type: "end", state: "completed" });
  });

  it("hears an answer that came while the question was still being sent", () => {
    const run = startByHand(journey({ ask: message("wait"), ...waiting.nodes }));
    run.event("reply", { answer: "yes" });
    expect(run.answer(submitted)).toMatchObject({ type: "send", node_id: "thanks" });
  });

  it("does not take one event for two answers", () => {
    const second = { ...waiting.nodes["wait"]!, next: "end" } as JourneyNode;
    const run = startByHand(
      journey({ wait: { ...waiting.nodes["wait"]!, next: "second" } as JourneyNode, second, end: exit }),
    );
    run.event("reply", { answer: "yes" });
    expect(run.event("reply", { answer: "yes" })).toBeUndefined();
    expect(run.event("reply", { answer: "yes" }, "another")).toMatchObject({ type: "end" });
  });

  it("looks at its conditions on arrival, and again when the person does something", () => {
    const run = startByHand(
      journey({
        wait: {
          type: "wait-until",
          events: [],
          conditions: [{ path: "attributes.vip", op: "eq", value: true }],
          timeout_ms: 60 * MINUTE,
          next: "thanks",
          on_timeout: "end",
        },
        thanks: message("end"),
        end: exit,
      }),
    );
    expect(run.pending.type).toBe("read_person");
    expect(run.person({})).toMatchObject({ type: "wait" });
    expect(run.event("page_view")).toMatchObject({ type: "wait", until_ms: T0 + MINUTE / 2 });
    expect(run.at(1)).toMatchObject({ type: "read_person" });
    expect(run.person({ attributes: { vip: true } })).toMatchObject({ type: "send" });
  });
});
