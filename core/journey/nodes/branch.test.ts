import { describe, expect, it } from "vitest";

import { exit, journey, message, startByHand } from "../../../test/support/run-by-hand.ts";

describe("branch", () => {
  const branching = journey({
    which: {
      type: "branch",
      branches: [
        {
          when: [
            { path: "done.purchase", op: "ne", value: true },
            { path: "attributes.city", op: "eq", value: "Pune" },
          ],
          next: "remind",
        },
      ],
      otherwise: "end",
    },
    remind: message("end"),
    end: exit,
  });
  const inCart = { add_to_cart: "2026-11-21T10:00:00Z" };

  it("takes the first branch whose conditions hold", () => {
    const run = startByHand(branching);
    expect(
      run.person({ attributes: { city: "Pune" }, last_event_at: { ...inCart, purchase: "2026-10-01T00:00:00Z" } }),
    ).toMatchObject({ type: "send" });
  });

  it("takes the other way where none holds", () => {
    const run = startByHand(branching);
    expect(
      run.person({ attributes: { city: "Pune" }, last_event_at: { ...inCart, purchase: "2026-11-21T10:01:00Z" } }),
    ).toMatchObject({ type: "end" });
  });
});
