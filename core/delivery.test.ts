import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { advance, deliveryId, isSettled, type LedgerEntry, type LedgerRow } from "./delivery.ts";

const submitting: LedgerRow = {
  state: "submitting",
  reason: null,
  provider_message_id: null,
  opened_at: null,
  clicked_at: null,
  attempts: 1,
  history: [{ state: "submitting", at: "2026-11-21T10:00:00.000Z" }],
  unannounced: [],
};
const at = "2026-11-21T10:00:01.000Z";

const instant = fc.integer({ min: 0, max: 1e6 }).map((ms) => new Date(Date.UTC(2026, 10, 21) + ms).toISOString());
const receipt: fc.Arbitrary<LedgerEntry> = fc.record({
  kind: fc.constantFrom("submitted", "delivered", "failed", "opened", "clicked"),
  at: instant,
});
const decision: fc.Arbitrary<LedgerEntry> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("unknown", "released"),
    at: instant,
    reason: fc.constant("r"),
    attempt: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ kind: fc.constant("skipped" as const), at: instant, reason: fc.constant("r") }),
);

function run(row: LedgerRow, entries: LedgerEntry[]): LedgerRow {
  return entries.reduce(advance, row);
}

function essence(row: LedgerRow) {
  const { state, opened_at, clicked_at } = row;
  return { state, opened_at, clicked_at, kinds: new Set(row.history.map((entry) => entry.state)) };
}

describe("the ledger of a message", () => {
  it("goes from the provider's yes to its delivery, its opening and its click", () => {
    const row = run(submitting, [
      { kind: "submitted", at, provider_message_id: "SM1" },
      { kind: "delivered", at },
      { kind: "opened", at },
      { kind: "clicked", at },
    ]);
    expect(row).toMatchObject({ state: "delivered", provider_message_id: "SM1", opened_at: at, clicked_at: at });
    expect(row.unannounced).toEqual(["submitted", "delivered", "opened", "clicked"]);
  });

  it("takes a lost answer for unknown, and a webhook for the answer", () => {
    const unknown = advance(submitting, { kind: "unknown", at, reason: "timed out", attempt: 1 });
    expect(unknown).toMatchObject({ state: "unknown", reason: "timed out" });
    expect(advance(unknown, { kind: "delivered", at })).toMatchObject({ state: "delivered", reason: null });
  });

  it("lets only the attempt that is under way be taken back", () => {
    expect(advance(submitting, { kind: "released", at, reason: "refused", attempt: 0 })).toBe(submitting);
    expect(advance(submitting, { kind: "released", at, reason: "refused", attempt: 1 }).state).toBe("reserved");
  });

  it("ends in the same place whatever the order of the reports, and however often each comes", () => {
    const shuffled = fc
      .array(receipt, { maxLength: 12 })
      .chain((entries) =>
        fc.tuple(
          fc.constant(entries),
          fc.shuffledSubarray([...entries, ...entries], { minLength: entries.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([entries, doubled]) => {
        expect(essence(run(submitting, doubled))).toEqual(essence(run(submitting, entries)));
      }),
    );
  });

  it("never leaves a settled state but for a later one", () => {
    const order = ["skipped", "submitted", "delivered", "failed"];
    const isInOrder = (before: LedgerRow, after: LedgerRow) =>
      !isSettled(before.state) || order.indexOf(after.state) >= order.indexOf(before.state);
    const entry = fc.oneof(receipt, decision);
    const counterexample = fc.check(
      fc.property(fc.array(entry), entry, (entries, last) => {
        const before = run(submitting, entries);
        return isInOrder(before, advance(before, last));
      }),
    ).counterexample;
    expect(counterexample).toBeNull();
  });

  it("announces everything it writes but a release, once", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(receipt, decision)), (entries) => {
        const row = run(submitting, entries);
        const told = row.history.slice(1).filter((entry) => entry.state !== "reserved");
        expect(new Set(row.unannounced)).toEqual(new Set(told.map((entry) => entry.state)));
        expect(row.unannounced).toHaveLength(new Set(row.unannounced).size);
      }),
    );
  });

  it("names a message by its run and node", () => {
    expect(deliveryId("r", "n")).toBe(deliveryId("r", "n"));
    expect(deliveryId("r", "n")).not.toBe(deliveryId("r", "m"));
  });
});
