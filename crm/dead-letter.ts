import { isUtf8 } from "node:buffer";

import { z } from "zod";

import { LETTER_KINDS, LETTER_OUTCOMES, LETTER_STATES } from "../core/dead-letter.ts";
import type { deadLetters } from "../platform/postgres/schema.ts";
import { isoTime, timeSchema } from "./page.ts";

const placeSchema = z.object({ shard: z.string(), sequence: z.string(), index: z.int() });

const letterEventSchema = z.object({
  at: timeSchema,
  reason: z.string(),
  actor: z.string().optional().meta({ description: "`key:<prefix>` of the API key that asked for it." }),
  replay_id: z.string().optional(),
  changed: z.array(z.string()).optional().meta({ description: "JSON pointers of what a patch changed." }),
});

export const deadLetterSchema = z
  .object({
    id: z.guid(),
    stage: z.string(),
    kind: z.enum(LETTER_KINDS),
    reason: z.string(),
    event_id: z.string().nullable(),
    event_type: z.string().nullable(),
    payload: z
      .object({ encoding: z.enum(["utf8", "base64"]), data: z.string() })
      .meta({ description: "The bytes as they came: as text where they are UTF-8." }),
    source: placeSchema,
    attempts: z.int(),
    history: z.array(letterEventSchema),
    state: z.enum(LETTER_STATES),
    outcome: z.enum(LETTER_OUTCOMES).nullable().meta({ description: "What became of it when it was replayed." }),
    replay_of: z.guid().nullable().meta({ description: "The letter whose replay failed and became this one." }),
    replay_id: z.guid().nullable().meta({ description: "The last replay that took it up." }),
    created_at: timeSchema,
  })
  .meta({ id: "DeadLetter" });

export type DeadLetter = z.infer<typeof deadLetterSchema>;
export type DeadLetterRow = typeof deadLetters.$inferSelect;

export function viewDeadLetter(row: DeadLetterRow): DeadLetter {
  const encoding = isUtf8(row.payload) ? "utf8" : "base64";
  const { id, stage, kind, reason, event_id, event_type, attempts, state, outcome, replay_of, replay_id } = row;
  return {
    id,
    stage,
    kind,
    reason,
    event_id,
    event_type,
    attempts,
    state,
    outcome,
    replay_of,
    replay_id,
    payload: { encoding, data: row.payload.toString(encoding) },
    source: { shard: row.source_shard, sequence: row.source_sequence, index: row.source_index },
    history: row.history.map((entry) => ({ ...entry, at: isoTime(entry.at) })),
    created_at: isoTime(row.created_at),
  };
}
