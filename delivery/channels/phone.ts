import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js";

import type { Address, Contact } from "./channel.ts";

/** E.164. A number without its country's code is read as one of the country that the contact's locale names. */
export function phoneOf({ phone, locale }: Contact): Address {
  if (!phone) return { ok: false, reason: "no_phone" };
  const number = parsePhoneNumberFromString(phone, countryOf(locale));
  // By its length: the tables of numbers in use are always older than the numbers.
  return number?.isPossible() ? { ok: true, address: number.number } : { ok: false, reason: "invalid_phone" };
}

function countryOf(locale: string | null): CountryCode | undefined {
  const region = /[-_]([A-Za-z]{2})\b/.exec(locale ?? "")?.[1]?.toUpperCase();
  return region !== undefined && isSupportedCountry(region) ? region : undefined;
}
