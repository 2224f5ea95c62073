import { describe, expect, it } from "vitest";

import type { Contact } from "./channel.ts";
import { email } from "./email.ts";
import { push } from "./push.ts";
import { sms } from "./sms.ts";

const contact = (fields: Partial<Contact>) => fields as Contact;

describe("where a contact can be reached", () => {
  it.each([
    ["+91 98765-43210", null, "+919876543210"],
    ["098765 43210", "en-IN", "+919876543210"],
    ["(415) 555-0123", "en_US", "+14155550123"],
  ])("reads %s (%s) as %s", (phone, locale, address) => {
    expect(sms.addressOf(contact({ phone, locale }))).toEqual({ ok: true, address });
  });

  it.each(["12", "not a number", "+1", "98765 43210"])("does not take %s for a number", (phone) => {
    expect(sms.addressOf(contact({ phone, locale: null }))).toEqual({ ok: false, reason: "invalid_phone" });
  });

  it.each(["ada@example.com", " ada+tag@mail.example.co.uk "])("takes %s for an address", (address) => {
    expect(email.addressOf(contact({ email: address }))).toEqual({ ok: true, address: address.trim() });
  });

  it.each(["ada", "ada@localhost", "a b@example.com", "ada@example.com\nBcc: x@y.z", `${"a".repeat(250)}@example.com`])(
    "does not take %j for an address",
    (address) => {
      expect(email.addressOf(contact({ email: address }))).toMatchObject({ ok: false });
    },
  );

  it("says which one is missing", () => {
    expect(email.addressOf(contact({ email: null }))).toEqual({ ok: false, reason: "no_email" });
    expect(sms.addressOf(contact({ phone: "" }))).toEqual({ ok: false, reason: "no_phone" });
    expect(push.addressOf(contact({ push_token: null }))).toEqual({ ok: false, reason: "no_push_token" });
  });
});
