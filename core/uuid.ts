import { createHash } from "node:crypto";

/** The namespace of all ids that Livora derives. */
const LIVORA_NAMESPACE = "6d1f2f0e-6a0b-5c53-9d58-3b1e7a0c1f11";

const GUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/** UUIDv5 of parts that together name a thing: the same parts, the same id, on any machine and after any crash. */
export function uuidOf(...parts: readonly string[]): string {
  // The parts are joined as JSON, so that ["a", "bc"] and ["ab", "c"] are two things.
  return uuidV5(LIVORA_NAMESPACE, JSON.stringify(parts));
}

/** RFC 9562, section 5.5. `namespace` is itself a UUID. */
export function uuidV5(namespace: string, name: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name, "utf8")
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
