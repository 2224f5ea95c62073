import { z } from "zod";

import { LETTER_KINDS, LETTER_STATES } from "./dead-letter.ts";

const MAX_LETTER_IDS = 1_000;

/** What letters can be looked for by. */
export const letterFilterShape = {
  stage: z.string().min(1).max(64).optional().meta({ description: "The step or consumer in which it failed." }),
  kind: z.enum(LETTER_KINDS).optional().meta({ description: "Whether the event is wrong, or something was away." }),
  reason: z.string().min(1).max(300).optional().meta({ description: "The whole reason, as groups show it." }),
  event_type: z.string().min(1).max(128).optional(),
  event_id: z.string().min(1).max(256).optional(),
  since: z.iso.datetime({ offset: true }).optional().meta({ description: "Written then or later." }),
  until: z.iso.datetime({ offset: true }).optional().meta({ description: "Written before." }),
  text: z.string().min(1).max(256).optional().meta({ description: "Stands in the payload, byte for byte." }),
};

export const letterStateSchema = z.enum(LETTER_STATES);
const letterFilterSchema = z.strictObject(letterFilterShape).meta({ id: "DeadLetterFilter" });

export type LetterFilter = z.infer<typeof letterFilterSchema>;

/** Some open letters: by their ids, or all that a filter finds. An empty filter finds all. */
export const letterSelectionSchema = z
  .union([
    z.strictObject({ ids: z.array(z.guid()).min(1).max(MAX_LETTER_IDS) }),
    z.strictObject({ filter: letterFilterSchema }),
  ])
  .meta({ id: "DeadLetterSelection" });

export type LetterSelection = z.infer<typeof letterSelectionSchema>;
