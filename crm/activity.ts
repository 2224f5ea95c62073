import { z } from "zod";

import type { activities } from "../platform/postgres/schema.ts";
import { isoTime, project, timeSchema } from "./page.ts";

export const activitySchema = z
  .object({
    id: z.guid(),
    contact_id: z.guid().nullable(),
    type: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    ts: timeSchema,
  })
  .meta({ id: "Activity" });

export type Activity = z.infer<typeof activitySchema>;

export function viewActivity(row: typeof activities.$inferSelect): Activity {
  return project(activitySchema, { ...row, ts: isoTime(row.ts) });
}
