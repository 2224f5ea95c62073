import type { IncomingHttpHeaders } from "node:http";

import { bearerToken } from "../core/api-key.ts";
import { HttpError, unauthorized } from "../core/problem.ts";
import type { Caller, Keyring } from "../platform/keyring.ts";

/**
 * Who sends this, from `Authorization` and `X-Client-Id`. A caller at once where the key is known, so that the hot path
 * has no turn of the event loop in it; else a promise of one. Throws 400, 401, 403, 503.
 */
export function createAuthenticateStep(keyring: Keyring) {
  return function authenticate(headers: IncomingHttpHeaders): Caller | Promise<Caller> {
    const token = tokenOf(headers.authorization);
    const caller = keyring.known(token);
    if (caller) return authorize(caller, headers["x-client-id"]);
    return keyring.lookUp(token).then((found) => {
      if (!found) throw unauthorized("The token is not known.", "invalid_token");
      return authorize(found, headers["x-client-id"]);
    });
  };
}

/** What follows `Bearer `, without looking closer; a header in any other shape goes through the strict reading. */
function tokenOf(header: string | undefined): string {
  if (header?.startsWith("Bearer lv_")) return header.slice(7);
  const token = bearerToken(header);
  if (token === null) throw unauthorized("A bearer token is required.");
  return token;
}

function authorize(caller: Caller, clientId: string | string[] | undefined): Caller {
  if (clientId === undefined || clientId === "") {
    throw new HttpError(400, "The header X-Client-Id is required.", {}, [
      { path: "/headers/x-client-id", reason: "required" },
    ]);
  }
  if (clientId !== caller.clientId) throw new HttpError(403, "The token belongs to another client.");
  if (!caller.scopes.includes("ingest")) throw new HttpError(403, "The token may not send events.");
  return caller;
}
