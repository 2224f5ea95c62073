import { createHmac, hash } from "node:crypto";

/** What AWS Signature Version 4 is made over. */
export interface SignedRequest {
  method: string;
  path: string;
  /** Lower-case names; all of them are signed. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

export interface SigningScope {
  region: string;
  service: string;
  /** `20261121T101500Z`: the same as in the header `x-amz-date`. */
  amzDate: string;
}

export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The header `Authorization`. Tested against the SDK's own. */
export function authorizationOf(request: SignedRequest, scope: SigningScope, credentials: SigningCredentials): string {
  const day = scope.amzDate.slice(0, 8);
  const place = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const names = Object.keys(request.headers).toSorted();
  const signedHeaders = names.join(";");
  const headers = names.map((name) => `${name}:${request.headers[name]?.trim()}\n`).join("");
  const bodyHash = hash("sha256", request.body, "hex");
  const canonical = `${request.method}\n${request.path}\n\n${headers}\n${signedHeaders}\n${bodyHash}`;
  const toSign = `AWS4-HMAC-SHA256\n${scope.amzDate}\n${place}\n${hash("sha256", canonical, "hex")}`;
  const signature = createHmac("sha256", keyOf(credentials, day, scope))
    .update(toSign)
    .digest("hex");
  return `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${place}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** `2026-11-21T10:15:00.123Z` as AWS writes it. */
export function amzDateOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** One for each service in use. */
const MAX_KEYS = 16;
const cached = new Map<string, Buffer>();

/** Holds for a day, so it is made once a day. */
function keyOf({ secretAccessKey }: SigningCredentials, day: string, { region, service }: SigningScope): Buffer {
  const name = `${secretAccessKey}/${day}/${region}/${service}`;
  const known = cached.get(name);
  if (known) return known;
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  if (cached.size >= MAX_KEYS) cached.clear();
  cached.set(name, key);
  return key;
}
