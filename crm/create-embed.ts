import { randomUUID } from "node:crypto";

import { SignJWT } from "jose";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { embeds } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type Embed, viewEmbed } from "./embed.ts";
import { signingKey } from "./embed-keys.ts";
import { EMBED_AUDIENCE } from "./open-embed.ts";

const DAY_S = 86_400;

export const createEmbedBody = z.strictObject({
  tile: z.strictObject({
    report: z.string().min(1).max(100).meta({ description: "`funnel`, `cohorts`: what follows `/api/v1/analytics/`." }),
    query: z
      .record(z.string().max(100), z.union([z.string().max(8_000), z.number(), z.boolean()]))
      .default({})
      .meta({ description: "As in the report's own URL." }),
  }),
  title: z.string().min(1).max(200).optional().meta({ description: "Stands above the tile." }),
  expires_in: z
    .int()
    .min(60)
    .max(366 * DAY_S)
    .default(DAY_S)
    .meta({ description: "Seconds." }),
});

/** The tile's query must have been checked. The token holds everything that it may show. */
export async function createEmbed(
  ctx: CrmContext,
  input: { tile: { report: string; query: Record<string, string> }; title?: string | undefined; expires_in: number },
): Promise<Embed & { token: string }> {
  requireScope(ctx, "admin");
  const { tile, title, expires_in } = parse(createEmbedBody, input, "body");
  const { client_id, actor, request_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const key = await signingKey(tx, client_id);
    const id = randomUUID();
    const expiresAtS = Math.floor(Date.now() / 1_000) + expires_in;
    const expires_at = new Date(expiresAtS * 1_000).toISOString();
    const query = input.tile.query;
    const values = { id, client_id, report: tile.report, query, title: title ?? null, expires_at, actor, request_id };
    const [row] = await tx.insert(embeds).values(values).returning();
    await writeAudit(ctx, tx, { action: "embed.create", subject: `embed:${id}`, details: { report: tile.report } });
    const token = await new SignJWT({ report: tile.report, query })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: key.id })
      .setAudience(EMBED_AUDIENCE)
      .setSubject(client_id)
      .setJti(id)
      .setIssuedAt()
      .setExpirationTime(expiresAtS)
      .sign(Buffer.from(key.secret, "base64url"));
    return { ...viewEmbed(row!), token };
  });
}
