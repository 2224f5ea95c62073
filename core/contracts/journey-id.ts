import { createHash } from "node:crypto";

/**
 * `j:<client>:<campaign>:<person hash>:<key hash>`: the same person, journey and key are the same workflow, and nothing in
 * the id tells who it is. (Not in `journey.ts`, because workflow code has no node:crypto.)
 */
export function journeyWorkflowId(clientId: string, campaignId: string, personKey: string, entryKey: string): string {
  return `j:${clientId}:${campaignId}:${shortHash(`${clientId}\n${personKey}`)}:${shortHash(entryKey)}`;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
