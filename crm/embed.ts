import { z } from "zod";

import type { embeds } from "../platform/postgres/schema.ts";

/** A link that shows one tile of a dashboard, as it is shown to who made it. */
export const embedSchema = z
  .object({
    embed_id: z.guid(),
    tile: z.object({ report: z.string(), query: z.record(z.string(), z.string()) }),
    title: z.string().nullable(),
    expires_at: z.iso.datetime(),
    revoked_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Embed" });

export type Embed = z.infer<typeof embedSchema>;

const moment = (text: string) => new Date(text).toISOString();

export function viewEmbed(row: typeof embeds.$inferSelect): Embed {
  const { id: embed_id, report, query, title, expires_at, revoked_at, created_at } = row;
  return {
    embed_id,
    tile: { report, query },
    title,
    expires_at: moment(expires_at),
    revoked_at: revoked_at && moment(revoked_at),
    created_at: moment(created_at),
  };
}
