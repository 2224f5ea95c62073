import type { ItemKey } from "../../../platform/user-store.ts";

/** The items of a person in the single table. */
export function personItem(clientId: string, personKey: string, sort: string): ItemKey {
  return { client: clientId, kind: "USER", owner: personKey, sort };
}

export const LINK = "ATTR#link";
export const ALIASES = "ATTR#aliases";
export const PROFILE = "ATTR#profile";
export const EMAIL = "ATTR#email";
export const PHONE = "ATTR#phone";
export const sessionSort = (sessionId: string) => `SESSION#${sessionId}`;
export const cartSort = (cartId: string) => `CART#${cartId}`;
