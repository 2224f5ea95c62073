import { describe, expect, it } from "vitest";

import { delay, exit, journey, message, MINUTE, startByHand, T0 } from "../../../test/support/run-by-hand.ts";

describe("inactivity", () => {
  const away = journey({
    away: { type: "inactivity", after_ms: 60 * MINUTE, next: "wait" },
    wait: delay(10, "remind"),
    remind: message("end"),
    end: exit,
  });

  it("sleeps on while the person keeps coming back, and counts delays from the end of the wait", () => {
    const run = startByHand(away);
    expect(run.at(60)).toMatchObject({ type: "read_person" });
    expect(run.person({ last_seen_at: new Date(T0 + 50 * MINUTE).toISOString() })).toMatchObject({
      type: "wait",
      until_ms: T0 + 110 * MINUTE,
    });
    run.at(110);
    expect(run.person({ last_seen_at: new Date(T0 + 50 * MINUTE).toISOString() })).toMatchObject({
      type: "wait",
      until_ms: T0 + 120 * MINUTE,
    });
    expect(run.at(120)).toMatchObject({ type: "send" });
  });
});
