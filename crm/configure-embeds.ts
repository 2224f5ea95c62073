import { eq, sql } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import type { Database } from "../platform/postgres/database.ts";
import { clients } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { rotateKeys } from "./embed-keys.ts";

const originSchema = z.string().max(300).refine(isOrigin, {
  error: "is no origin: https://www.example.com, or http://localhost:3000 for trying it out",
});

export const configureEmbedsBody = z.strictObject({
  origins: z.array(originSchema).max(50).optional().meta({
    description: "Whose pages may show tiles in a frame, all of them: others are forgotten. As before where left out.",
  }),
  rotate: z.enum(["keep", "retire"]).optional().meta({
    description: "From now on another key signs. `keep`: links made before go on; `retire`: they end.",
  }),
});

export const embedSettingsSchema = z
  .object({
    origins: z.array(z.string()),
    key_id: z.guid().nullable().meta({ description: "Of the key that signs from now on, where it was changed." }),
    retired_keys: z.int(),
  })
  .meta({ id: "EmbedSettings" });

/** `owner`: no tenant may write its own row in `clients`, which says what it may. */
export async function configureEmbeds(
  ctx: CrmContext,
  owner: Database,
  input: z.input<typeof configureEmbedsBody>,
): Promise<z.infer<typeof embedSettingsSchema>> {
  requireScope(ctx, "admin");
  const { origins, rotate } = parse(configureEmbedsBody, input, "body");
  const { client_id } = ctx.principal;
  if (origins) {
    const settings = sql`${clients.settings} || ${JSON.stringify({ embed_origins: origins })}::text::jsonb`;
    await owner.update(clients).set({ settings }).where(eq(clients.id, client_id));
  }
  return inTransaction(ctx, async (tx) => {
    const rotated = rotate && (await rotateKeys(tx, client_id, { retire: rotate === "retire" }));
    const details = { origins: origins?.length ?? null, rotate: rotate ?? null };
    await writeAudit(ctx, tx, { action: "embed.configure", subject: `client:${client_id}`, details });
    const client = await tx.query.clients.findFirst({ where: eq(clients.id, client_id) });
    return {
      origins: client?.settings.embed_origins ?? [],
      key_id: rotated?.key_id ?? null,
      retired_keys: rotated?.retired ?? 0,
    };
  });
}

/** Nothing but what a browser calls an origin fits into the policy that names it. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const isHere = protocol === "http:" && ["localhost", "127.0.0.1"].includes(hostname);
  return origin === text && (protocol === "https:" || isHere) && /^[\w.:/[\]-]+$/.test(text);
}
