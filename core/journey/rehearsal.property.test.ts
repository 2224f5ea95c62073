import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compileCampaign } from "../campaign.ts";
import type { SendOutcome } from "../contracts/journey.ts";
import { MINUTE_MS } from "../time.ts";
import type { JourneyDefinition } from "./definition.ts";
import { createRehearsal, type Rehearsal, type RehearsedMessage, type RehearsedRun } from "./rehearsal.ts";

const T0 = Date.parse("2026-01-05T09:00:00.000Z");
const TYPES = ["add_to_cart", "purchase", "reply", "page_view"];

const campaignArbitrary = fc
  .record({
    trigger: fc.constantFrom("cart_abandonment", "event:reply", { type: "inactivity", after_minutes: 7 }),
    re_entry: fc.constantFrom("once", "after_exit", { cool_down_minutes: 20 }),
    schedule: fc.array(
      fc.record({ delay_minutes: fc.nat(60), action: fc.constantFrom("email:a", "whatsapp:b", "sms:c") }),
      { minLength: 1, maxLength: 4 },
    ),
    exit_on: fc.constantFrom([], ["purchase"], [{ event_type: "reply", where: [{ path: "n", op: "gt", value: 2 }] }]),
  })
  .map((campaign) => {
    const compiled = compileCampaign({ campaign_id: "drawn", ...campaign });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    return compiled.definition;
  });
const eventArbitrary = fc.record({
  afterMinutes: fc.nat(30),
  event_type: fc.constantFrom(...TYPES),
  props: fc.record({ cart_id: fc.constantFrom("c1", "c2"), n: fc.nat(5) }),
});
/** By the number of the message. */
const outcomes = fc.array(fc.constantFrom("submitted", "skipped", "limited", "stopped"), { maxLength: 6 });

type Drawn = typeof eventArbitrary extends fc.Arbitrary<infer T> ? T : never;

function play(
  definition: JourneyDefinition,
  events: readonly Drawn[],
  said: readonly string[],
  pieces: number,
): Rehearsal {
  let asked = 0;
  const deliver = ({ at_ms }: { at_ms: number }): SendOutcome => {
    const outcome = said[asked++] ?? "submitted";
    if (outcome === "limited")
      return { outcome, reason: "quota", retry_at: new Date(at_ms + 3 * MINUTE_MS).toISOString() };
    if (outcome === "stopped") return { outcome, reason: "unsubscribed" };
    return {
      outcome: outcome as "submitted",
      delivery_id: "d",
      ...(outcome === "skipped" && { reason: "no" }),
    } as SendOutcome;
  };
  const rehearsal = createRehearsal(definition, { at_ms: T0, deliver });
  const pass = (ms: number) => {
    const from = rehearsal.nowMs;
    for (let piece = 1; piece <= pieces; piece++) rehearsal.advanceTo(from + Math.floor((ms * piece) / pieces));
  };
  for (const { afterMinutes, event_type, props } of events) {
    pass(afterMinutes * MINUTE_MS);
    rehearsal.tell({ event_type, props });
  }
  pass(6 * 60 * MINUTE_MS);
  return rehearsal;
}

test("time may pass in one piece or in many; nothing goes out of a run that is over, nor two runs of a key at once", () => {
  fc.assert(
    fc.property(
      campaignArbitrary,
      fc.array(eventArbitrary, { maxLength: 12 }),
      outcomes,
      (definition, events, said) => {
        const rehearsal = play(definition, events, said, 1);
        const { runs, messages } = rehearsal;
        const inPieces = play(definition, events, said, 7);
        expect([inPieces.runs, inPieces.messages]).toEqual([runs, messages]);
        const isOutside = ({ at_ms, run }: RehearsedMessage) =>
          at_ms < runs[run]!.entered_at_ms || at_ms > (runs[run]!.ended_at_ms ?? Number.POSITIVE_INFINITY);
        expect(messages.filter(isOutside)).toEqual([]);
        const overlaps = ({ key, entered_at_ms }: RehearsedRun, nth: number) =>
          runs
            .slice(0, nth)
            .some((run) => run.key === key && (run.ended_at_ms ?? Number.POSITIVE_INFINITY) > entered_at_ms);
        expect(runs.filter(overlaps)).toEqual([]);
        // Six hours on, with messages an hour apart at most, everything is over but what waits for somebody to be away.
        const isForgotten = ({ state }: RehearsedRun) => definition.trigger.type === "event" && state === "active";
        expect(runs.filter(isForgotten)).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});
