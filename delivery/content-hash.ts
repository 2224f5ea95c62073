import { createHash } from "node:crypto";

/** What a provider's copy of a text is recognised by. */
export function contentHash(text: string): string {
  return createHash("sha256").update(text.trim()).digest("hex");
}
