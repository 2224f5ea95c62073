import { randomBytes } from "node:crypto";

import { type ApiScope, API_SCOPES, formatApiKey, hashApiKey, prefixOfApiKey } from "../../core/api-key.ts";
import type { LivoraTarget } from "./livora.ts";
import { withPostgres } from "./oracle-evidence.ts";

/** Another tenant of the same Livora, straight into its database; answers Livora as that client sees it. */
export async function addClient<Target extends LivoraTarget>(
  livora: Target,
  client_id: string,
  settings: object = {},
  scopes: readonly ApiScope[] = API_SCOPES,
): Promise<Target> {
  const api_key = formatApiKey(client_id, randomBytes(24));
  await withPostgres(livora.postgres, async (sql) => {
    await sql`insert into clients (id, name, settings) values (${client_id}, ${client_id}, ${JSON.stringify(settings)}::text::jsonb)
      on conflict (id) do update set settings = excluded.settings`;
    await sql`insert into api_keys (client_id, key_hash, prefix, scopes)
      values (${client_id}, ${hashApiKey(api_key)}, ${prefixOfApiKey(api_key)}, ${[...scopes]})`;
  });
  return { ...livora, client_id, endpoints: { ...livora.endpoints, client_id, api_key } };
}
