import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

/** In a stack's folder while it is being restored: what lies there is not whole. */
const RESTORING = "restoring.json";
/** In a stack's folder for ever after. */
const RESTORED = "restored.json";

/** What was sent in this time is not in the ledger; ISO 8601. */
const schema = z.object({ since: z.iso.datetime(), until: z.iso.datetime() });
export type LostTime = z.infer<typeof schema>;

export const restoringFile = (dir: string) => join(dir, RESTORING);

/** From the backup's moment on; where the backup is of a stack that was restored before, from that one's on. */
export function writeLostTime(dir: string, lost: LostTime): void {
  const before = readLostTime(dir);
  const since = before && before.since < lost.since ? before.since : lost.since;
  writeFileSync(join(dir, RESTORED), JSON.stringify({ ...lost, since }), { mode: 0o600, flush: true });
}

/** What the services are told of it. Throws where a restore was interrupted. */
export function lostTimeEnvironment(dir: string): Record<string, string> {
  if (existsSync(restoringFile(dir))) {
    throw new Error(`A restore into ${dir} was interrupted: delete the folder and restore again.`);
  }
  const lost = readLostTime(dir);
  return lost ? { LIVORA_LOST_SINCE: lost.since, LIVORA_LOST_UNTIL: lost.until } : {};
}

function readLostTime(dir: string): LostTime | null {
  const file = join(dir, RESTORED);
  return existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, "utf8"))) : null;
}
