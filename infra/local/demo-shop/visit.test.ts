import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventSchema } from "../../../core/event.ts";
import { createRandom, createUuid } from "./random.ts";
import { inventVisit } from "./visit.ts";

const invent = (seed: number) => inventVisit({ random: createRandom(seed), reminderMs: 6_000, couponMs: 30_000 });

describe("a visit to the demo shop", () => {
  it("is the same for the same seed", () => {
    expect(invent(7)).toEqual(invent(7));
  });

  it("is made of events that Livora takes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        for (const { afterMs: _, ...step } of invent(seed)) {
          const event = {
            event_id: createUuid(createRandom(seed)),
            timestamp: "2026-11-21T10:00:00Z",
            client_id: "demo",
            ...step,
          };
          expect(eventSchema.safeParse(event).error).toBeUndefined();
        }
      }),
    );
  });

  it("buys only what lies in a cart, and once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const types = invent(seed).map((step) => step.event_type);
        const beforePurchase = types.includes("purchase") ? types.slice(0, types.indexOf("purchase")) : ["add_to_cart"];
        expect(beforePurchase).toContain("add_to_cart");
        expect(types.filter((type) => type === "purchase").length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is anonymous until log-in and known from then on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const steps = invent(seed);
        const login = steps.findIndex((step) => step.event_type === "identify");
        const known = steps.map((step) => step.user_id !== null);
        expect(known).toEqual(steps.map((_, place) => login >= 0 && place >= login));
      }),
    );
  });
});
