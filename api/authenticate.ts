import type { IncomingHttpHeaders } from "node:http";

import { and, eq, isNull } from "drizzle-orm";

import { type ApiScope, bearerToken, hashApiKey } from "../core/api-key.ts";
import { AppError } from "../core/errors.ts";
import { HttpError } from "../core/problem.ts";
import type { Database } from "../platform/postgres/database.ts";
import { toAppError } from "../platform/postgres/errors.ts";
import { apiKeys } from "../platform/postgres/schema.ts";

export interface KeyHolder {
  client_id: string;
  actor: string;
  scopes: readonly ApiScope[];
}

/** How long a key that was revoked may still be believed. */
const BELIEVED_MS = 5_000;
const MAX_REMEMBERED = 10_000;

export type Authenticate = (headers: IncomingHttpHeaders) => Promise<KeyHolder>;

/** Who asks, from `Authorization` and, where it is there, `X-Client-Id`. Throws 401 and 403. */
export function createAuthenticate(db: Database): Authenticate {
  const holderOf = remembering((hash) => findHolder(db, hash));
  return async (headers) => {
    const token = bearerToken(headers.authorization);
    if (token === null) throw unauthorized("A bearer token is required.");
    const holder = await holderOf(hashApiKey(token));
    if (!holder) throw unauthorized("The token is not known.", "invalid_token");
    const claimed = headers["x-client-id"];
    if (claimed !== undefined && claimed !== holder.client_id) {
      throw new AppError("forbidden", "The token belongs to another client.");
    }
    return holder;
  };
}

/** Known and unknown keys alike, by their hash, for a moment; the oldest makes room. */
function remembering(look: (hash: string) => Promise<KeyHolder | null>) {
  const remembered = new Map<string, { holder: Promise<KeyHolder | null>; untilMs: number }>();
  return (hash: string): Promise<KeyHolder | null> => {
    const entry = remembered.get(hash);
    if (entry && entry.untilMs > Date.now()) return entry.holder;
    const holder = look(hash);
    holder.catch(() => remembered.delete(hash));
    remembered.delete(hash);
    remembered.set(hash, { holder, untilMs: Date.now() + BELIEVED_MS });
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return holder;
  };
}

async function findHolder(db: Database, hash: string): Promise<KeyHolder | null> {
  try {
    const where = and(eq(apiKeys.key_hash, hash), isNull(apiKeys.revoked_at));
    const key = await db.query.apiKeys.findFirst({ where });
    return key ? { client_id: key.client_id, actor: `key:${key.prefix}`, scopes: key.scopes } : null;
  } catch (error) {
    throw toAppError(error);
  }
}

function unauthorized(message: string, error?: string): HttpError {
  const challenge = error ? `Bearer realm="livora", error="${error}"` : 'Bearer realm="livora"';
  return new HttpError(401, message, { "www-authenticate": challenge });
}
