import { parseArgs } from "node:util";

import { hourOf } from "../../core/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import { parseTimestamp } from "../../core/timestamp.ts";

export interface AuditOptions {
  fromMs: number;
  toMs: number;
  clientId: string | undefined;
  json: boolean;
  patienceMs: number;
  help: boolean;
}

const LONGEST_HOURS = 24 * 35;

export const AUDIT_HELP = `npm run audit -- [options]

For each client and hour: what the edge acknowledged against what lies in the lake, in the dead letters, or was left out for a
reason, event by event; and the messages begun in that hour. Reads only, but for the result, which it keeps for the API.

  --from TIME      the first hour, of receipt at the edge (three hours ago)
  --to TIME        up to this time (now)
  --client ID      this client only
  --wait SECONDS   for the consumers to catch up with what is under way (60)
  --json           the whole result as JSON
  --help           this

A TIME is ISO 8601 with a zone, 2026-11-21T10:00:00Z, or a date, 2026-11-21, which begins at midnight UTC.
Exit code 0: nothing is unexplained; 1: something is; 2: it could not be established.
The stores are those of the environment (LIVORA_POSTGRES_URL and so on), else of the stack that npm start has brought up here.`;

/** Throws, with a message for the person who typed it. */
export function parseAuditOptions(args: readonly string[], nowMs: number): AuditOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      from: { type: "string" },
      to: { type: "string" },
      client: { type: "string" },
      wait: { type: "string", default: "60" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const toMs = Math.min(nowMs, values.to === undefined ? nowMs : parseTime("--to", values.to));
  const fromMs = values.from === undefined ? hourOf(toMs) - 3 * HOUR_MS : parseTime("--from", values.from);
  if (fromMs >= toMs) throw new Error("--from must lie before --to, and before now");
  if (toMs - fromMs > LONGEST_HOURS * HOUR_MS) throw new Error(`at most ${LONGEST_HOURS} hours at once`);
  if (values.client === "") throw new Error("--client takes a client's id");
  const seconds = Number(values.wait);
  if (values.wait.trim() === "" || !(seconds >= 0 && seconds <= 3_600)) {
    throw new Error(`--wait takes seconds, 0 to 3600, not "${values.wait}"`);
  }
  const { client: clientId, json, help } = values;
  return { fromMs, toMs, clientId, json, help, patienceMs: seconds * 1_000 };
}

function parseTime(option: string, text: string): number {
  const ms = parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(ms)) throw new Error(`${option} takes a time such as 2026-11-21T10:00:00Z, not "${text}"`);
  return ms;
}
