import { and, eq } from "drizzle-orm";
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import { z } from "zod";

import { HttpError, unauthorized } from "../core/problem.ts";
import type { Database } from "../platform/postgres/database.ts";
import { toAppError } from "../platform/postgres/errors.ts";
import { clients, embeds } from "../platform/postgres/schema.ts";
import { forClient } from "../platform/postgres/tenant.ts";
import { findKey } from "./embed-keys.ts";

/** So that no other token of ours is taken for one. */
export const EMBED_AUDIENCE = "livora:embed";
const MAX_TOKEN = 16_384;

const headerSchema = z.object({ alg: z.literal("HS256"), kid: z.guid() });
const claimsSchema = z.object({
  sub: z.string().min(1).max(200),
  jti: z.guid(),
  report: z.string(),
  query: z.record(z.string(), z.string()),
});

export interface OpenedEmbed {
  embed_id: string;
  client_id: string;
  report: string;
  query: Record<string, string>;
  title: string | null;
  /** Who may show it in a frame. */
  origins: readonly string[];
}

/**
 * What a token shows. Throws 401 where it is not one of ours as we signed it, or its key is retired; 410 where it has expired or was
 * revoked; `unavailable` where that cannot be told.
 */
export async function openEmbed(db: Database, token: string): Promise<OpenedEmbed> {
  const { kid, client } = readToken(token);
  // Whose it says it is decides whose keys are looked at, and no more than that: another's key does not fit its signature.
  const found = await forClient(db, client, async (tx) => ({
    key: await findKey(tx, client, kid),
    settings: (await tx.query.clients.findFirst({ where: eq(clients.id, client) }))?.settings,
  })).catch(rethrow);
  if (!found.key) throw unauthorized("The link is not valid.", "invalid_token");
  const claims = await verify(token, found.key.secret);
  const where = and(eq(embeds.client_id, client), eq(embeds.id, claims.jti));
  const row = await forClient(db, client, (tx) => tx.query.embeds.findFirst({ where })).catch(rethrow);
  if (!row || row.revoked_at !== null) throw new HttpError(410, "The link was revoked.");
  const { report, query } = claims;
  const origins = found.settings?.embed_origins ?? [];
  return { embed_id: claims.jti, client_id: client, report, query, title: row.title, origins };
}

function readToken(token: string): { kid: string; client: string } {
  try {
    if (token.length > MAX_TOKEN) throw new Error("too long");
    const { kid } = headerSchema.parse(decodeProtectedHeader(token));
    const { sub } = claimsSchema.parse(decodeJwt(token));
    if (sub.includes("\0") || !sub.isWellFormed()) throw new Error("no client has such a name");
    return { kid, client: sub };
  } catch {
    throw unauthorized("The link is not valid.", "invalid_token");
  }
}

async function verify(token: string, secret: string): Promise<z.infer<typeof claimsSchema>> {
  try {
    const options = { algorithms: ["HS256"], audience: EMBED_AUDIENCE, requiredClaims: ["exp"] };
    const { payload } = await jwtVerify(token, Buffer.from(secret, "base64url"), options);
    return claimsSchema.parse(payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new HttpError(410, "The link has expired.");
    throw unauthorized("The link is not valid.", "invalid_token");
  }
}

function rethrow(error: unknown): never {
  throw toAppError(error);
}
