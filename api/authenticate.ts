import type { IncomingHttpHeaders } from "node:http";

import { type ApiScope, bearerToken } from "../core/api-key.ts";
import { AppError } from "../core/errors.ts";
import { unauthorized } from "../core/problem.ts";
import type { Keyring } from "../platform/keyring.ts";

export interface KeyHolder {
  client_id: string;
  actor: string;
  scopes: readonly ApiScope[];
}

export type Authenticate = (headers: IncomingHttpHeaders) => Promise<KeyHolder>;

/** Who asks, from `Authorization` and, where it is there, `X-Client-Id`. Throws 401, 403 and 503. */
export function createAuthenticate(keyring: Pick<Keyring, "known" | "lookUp">): Authenticate {
  return async (headers) => {
    const token = bearerToken(headers.authorization);
    if (token === null) throw unauthorized("A bearer token is required.");
    const caller = keyring.known(token) ?? (await keyring.lookUp(token));
    if (!caller) throw unauthorized("The token is not known.", "invalid_token");
    const claimed = headers["x-client-id"];
    if (claimed !== undefined && claimed !== caller.clientId) {
      throw new AppError("forbidden", "The token belongs to another client.");
    }
    return { client_id: caller.clientId, actor: caller.actor, scopes: caller.scopes };
  };
}
