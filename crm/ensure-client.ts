import { z } from "zod";

import { API_SCOPES, CLIENT_SCOPES, hashApiKey, MAX_API_KEY_LENGTH, prefixOfApiKey } from "../core/api-key.ts";
import { parse } from "../core/parse.ts";
import type { Database } from "../platform/postgres/database.ts";
import { apiKeys, clients } from "../platform/postgres/schema.ts";

/** What serves all clients: the database as its owner. */
export interface OwnerContext {
  db: Database;
}

const ensureClientInput = z.object({
  client_id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  name: z.string().min(1),
});

/** Makes the client where there is none; one that is there stays as it is. */
export async function ensureClient(ctx: OwnerContext, input: z.input<typeof ensureClientInput>): Promise<void> {
  const { client_id, name } = parse(ensureClientInput, input, "client");
  await ctx.db.insert(clients).values({ id: client_id, name }).onConflictDoNothing();
}

const ensureApiKeyInput = z.object({
  client_id: z.string(),
  api_key: z.string().min(24).max(MAX_API_KEY_LENGTH),
  scopes: z
    .array(z.enum(API_SCOPES))
    .min(1)
    .default([...CLIENT_SCOPES]),
});

/** Lets the key in. Only its hash is kept: whoever made the key must keep it. */
export async function ensureApiKey(ctx: OwnerContext, input: z.input<typeof ensureApiKeyInput>): Promise<void> {
  const { client_id, api_key, scopes } = parse(ensureApiKeyInput, input, "API key");
  const key_hash = hashApiKey(api_key);
  await ctx.db
    .insert(apiKeys)
    .values({ client_id, key_hash, prefix: prefixOfApiKey(api_key), scopes })
    .onConflictDoUpdate({ target: apiKeys.key_hash, set: { scopes, revoked_at: null } });
}
