import { createHash } from "node:crypto";

/** What a key may do: put events in, read, change things; `operator`: look after the installation, all clients at once. */
export const API_SCOPES = ["ingest", "read", "admin", "operator"] as const;
export type ApiScope = (typeof API_SCOPES)[number];
/** What a client's own key may do. */
export const CLIENT_SCOPES = ["ingest", "read", "admin"] as const satisfies readonly ApiScope[];

/** How many characters at the end of a key are never shown: 18 of base64 are 108 bits. */
const HIDDEN = 18;
/** Nothing longer is looked at. */
export const MAX_API_KEY_LENGTH = 512;

/** `lv_<client>_<random>`. `random` is at least 16 bytes from a cryptographic source. */
export function formatApiKey(clientId: string, random: Uint8Array): string {
  if (random.byteLength < 16) throw new RangeError("an API key needs at least 16 random bytes");
  return `lv_${clientId}_${Buffer.from(random).toString("base64url")}`;
}

/** What is kept of a key: SHA-256, in hexadecimal. Keys are random, so they need no salt. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** What people recognise a key by: everything but most of its secret. */
export function prefixOfApiKey(key: string): string {
  return key.slice(0, Math.max(0, key.length - HIDDEN));
}

/** The token of an `Authorization: Bearer …` header; null where there is none or it cannot be one. */
export function bearerToken(header: string | undefined): string | null {
  if (header === undefined || header.length > MAX_API_KEY_LENGTH) return null;
  const match = /^Bearer +([\w.~+/|:@-]+=*) *$/i.exec(header);
  return match?.[1] ?? null;
}
