import { describe, expect, it } from "vitest";

import { judgeMessages, type OutboxMessage, type ShopperRecord } from "./oracle-messages.ts";

const steps = [
  { channel: "whatsapp", delayMs: 2_000 },
  { channel: "email", delayMs: 4_000 },
];
const person: ShopperRecord = {
  user_id: "u",
  addresses: { whatsapp: "+1", email: "u@x" },
  cartAt: 10_000,
  identifiedAt: 9_000,
  purchase: null,
};
const message = (channel: string, at: number, to = person.addresses[channel] ?? ""): OutboxMessage => ({
  id: `${channel}-${at}`,
  channel,
  to,
  from: "shop",
  subject: null,
  body: "…",
  received_at: new Date(at).toISOString(),
});
const both = [message("whatsapp", 12_010), message("email", 14_010)];
const bought = (acknowledgedAt: number | null, seen: string[] = []): ShopperRecord => ({
  ...person,
  purchase: { offeredAt: (acknowledgedAt ?? 11_000) - 10, acknowledgedAt, seen },
});
const kindsOf = (people: ShopperRecord[], outbox: OutboxMessage[]) =>
  judgeMessages(people, steps, outbox).faults.map((fault) => fault.kind);

describe("the oracle of messages", () => {
  it("is content when someone who left a cart got each message once", () => {
    expect(kindsOf([person], both)).toEqual([]);
  });

  it("finds a message that is missing, one that came twice and one that came too soon", () => {
    expect(kindsOf([person], both.slice(0, 1))).toEqual(["missing"]);
    expect(kindsOf([person], [...both, message("email", 15_000)])).toEqual(["doubled"]);
    expect(kindsOf([person], [message("whatsapp", 11_999), message("email", 14_010)])).toEqual(["early"]);
  });

  it("finds messages to strangers and to people who left no cart", () => {
    expect(kindsOf([person], [...both, message("email", 15_000, "someone@else")])).toEqual(["unexpected"]);
    expect(kindsOf([{ ...person, cartAt: null }], both)).toEqual(["unexpected", "unexpected"]);
  });

  it("allows nothing after the purchase was acknowledged, and says how close it came", () => {
    expect(kindsOf([bought(11_000)], [])).toEqual([]);
    expect(kindsOf([bought(12_009)], both.slice(0, 1))).toEqual(["after_purchase"]);
    expect(judgeMessages([bought(12_050)], steps, both.slice(0, 1))).toEqual({ faults: [], margins: [40] });
  });

  it("wants the message that was seen before the purchase, and leaves open what lay between offer and answer", () => {
    expect(kindsOf([bought(13_000, ["whatsapp"])], [])).toEqual(["missing"]);
    expect(kindsOf([bought(13_000, ["whatsapp"])], both.slice(0, 1))).toEqual([]);
    expect(kindsOf([bought(null)], both)).toEqual([]);
    expect(kindsOf([bought(null)], [])).toEqual([]);
  });

  it("expects nothing where the address was not known in time", () => {
    expect(kindsOf([{ ...person, identifiedAt: 13_000 }], [message("email", 14_010)])).toEqual([]);
    expect(kindsOf([{ ...person, identifiedAt: null }], [])).toEqual([]);
  });
});
