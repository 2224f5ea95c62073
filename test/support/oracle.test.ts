import { describe, expect, it } from "vitest";

import { createLedger, type Ledger, type OfferedEvent } from "./oracle.ts";
import { type Evidence, judgeEvents, type LakeRow } from "./oracle-events.ts";

const event = (event_id: string, session_id = "s"): OfferedEvent => ({
  event_id,
  session_id,
  event_type: "product_view",
  text: `{"event_id":"${event_id}"}`,
});
const row = (event_id: string, sequence = event_id.charCodeAt(0), session_id = "s"): LakeRow => ({
  event_id,
  session_id,
  event_type: "product_view",
  raw: `{"event_id":"${event_id}"}`,
  sequence: String(sequence),
  index: 0,
});
const nothing: Evidence = { lake: [], deadLetters: [], dropped: [] };
const duplicate = (event_id: string) => ({ event_id, stage: "dedupe", reason: "duplicate" });

function acknowledged(...ids: string[]): Ledger {
  const ledger = createLedger();
  for (const id of ids) {
    ledger.offer([event(id)], 0);
    ledger.answer([id], "ok", 1);
  }
  return ledger;
}

const kindsOf = (ledger: Ledger, evidence: Partial<Evidence>, poison?: ReadonlySet<string>) =>
  judgeEvents(ledger, { ...nothing, ...evidence }, poison ? { poison } : {}).map((fault) => fault.kind);

describe("the oracle of events", () => {
  it("is content when each acknowledged event is in the lake once", () => {
    expect(kindsOf(acknowledged("a", "b"), { lake: [row("a"), row("b")] })).toEqual([]);
  });

  it("finds an acknowledged event that is nowhere", () => {
    expect(kindsOf(acknowledged("a", "b"), { lake: [row("a")] })).toEqual(["lost"]);
  });

  it("finds an event that is in the lake twice", () => {
    expect(kindsOf(acknowledged("a"), { lake: [row("a"), row("a")] })).toEqual(["doubled"]);
  });

  it("finds an event that nobody offered, also when it only lies among the dead letters", () => {
    expect(kindsOf(acknowledged("a"), { lake: [row("a"), row("x")] })).toEqual(["invented"]);
    expect(
      kindsOf(acknowledged("a"), { lake: [row("a")], deadLetters: [{ event_id: null, stage: "enrich", reason: "?" }] }),
    ).toEqual(["dead"]);
  });

  it("lets the system add events of its own, once each", () => {
    const own = { ...row("d"), event_type: "campaign_delivery", session_id: "none" };
    expect(kindsOf(createLedger(), { lake: [own] })).toEqual([]);
    expect(kindsOf(createLedger(), { lake: [own, own] })).toEqual(["doubled"]);
  });

  it("finds an event whose bytes have changed", () => {
    expect(kindsOf(acknowledged("a"), { lake: [{ ...row("a"), raw: "{}" }] })).toEqual(["altered"]);
  });

  it("wants a reason for each drop, and never more drops than copies", () => {
    const twice = acknowledged("a", "a");
    expect(kindsOf(twice, { lake: [row("a")], dropped: [duplicate("a")] })).toEqual([]);
    expect(kindsOf(twice, { lake: [row("a")], dropped: [{ ...duplicate("a"), reason: "" }] })).toEqual(["unexplained"]);
    expect(kindsOf(twice, { lake: [row("a")], dropped: [duplicate("a"), duplicate("a")] })).toEqual(["unexplained"]);
    expect(kindsOf(twice, { dropped: [duplicate("a")] })).toEqual(["lost", "unexplained"]);
  });

  it("finds an acknowledged copy that nobody accounts for", () => {
    expect(kindsOf(acknowledged("a", "a"), { lake: [row("a")] })).toEqual(["unexplained"]);
  });

  it("allows either fate to an event that was never answered, but not both", () => {
    const ledger = createLedger();
    ledger.offer([event("a")], 0);
    ledger.answer(["a"], "unknown", 1);
    expect(kindsOf(ledger, {})).toEqual([]);
    expect(kindsOf(ledger, { lake: [row("a")] })).toEqual([]);
    expect(kindsOf(ledger, { lake: [row("a"), row("a")] })).toEqual(["doubled"]);
  });

  it("finds a refused event that was kept", () => {
    const ledger = createLedger();
    ledger.offer([event("a")], 0);
    ledger.answer(["a"], "refused", 1);
    expect(kindsOf(ledger, { lake: [row("a")] })).toEqual(["contradicted"]);
  });

  it("takes a dead letter for an end only where it was meant to be one, and never beside the lake", () => {
    const dead = [{ event_id: "a", stage: "enrich", reason: "poison" }];
    expect(kindsOf(acknowledged("a"), { deadLetters: dead }, new Set("a"))).toEqual([]);
    expect(kindsOf(acknowledged("a"), { deadLetters: dead })).toEqual(["dead"]);
    expect(kindsOf(acknowledged("a"), { lake: [row("a")], deadLetters: dead }, new Set("a"))).toEqual(["contradicted"]);
  });

  it("finds a session that changed its order, and minds no other", () => {
    const ledger = acknowledged("a", "b");
    expect(kindsOf(ledger, { lake: [row("a", 2), row("b", 10)] })).toEqual([]);
    expect(kindsOf(ledger, { lake: [row("a", 10), row("b", 2)] })).toEqual(["misordered"]);
    ledger.offer([event("c", "t")], 0);
    ledger.answer(["c"], "ok", 1);
    expect(kindsOf(ledger, { lake: [row("a", 2), row("b", 10), row("c", 1, "t")] })).toEqual([]);
  });

  it("refuses to be led astray by its own load", () => {
    const ledger = acknowledged("a");
    expect(() => ledger.offer([{ ...event("a"), text: "{}" }], 2)).toThrow("another text");
    expect(() => ledger.answer(["z"], "ok", 2)).toThrow("never offered");
  });
});
