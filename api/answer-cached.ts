import { createHash } from "node:crypto";

import type { z } from "zod";

import { canonicalJson } from "../core/journey/hash.ts";
import { requireScope } from "../crm/context.ts";
import type { CachePolicy } from "../platform/cache.ts";
import type { Answer, Call, JsonRoute } from "./route.ts";

const ANALYTICS = "/api/v1/analytics/";
const USUAL: CachePolicy = { freshMs: 60_000, keptMs: 300_000 };
/** Nobody tells a browser that ETL has published: it asks again soon, and is told `304` where nothing is new. */
const BROWSER_SECONDS = 10;

/** Whether it reads what ETL writes. */
export function isAnalytics({ method, path }: JsonRoute): boolean {
  return method === "get" && path.startsWith(ANALYTICS);
}

/** How long the route's answers are kept; undefined: not at all. */
export function cachePolicyOf(route: JsonRoute): CachePolicy | undefined {
  if (route.cache === false || route.method !== "get") return undefined;
  return route.cache ?? (isAnalytics(route) ? USUAL : undefined);
}

/** What is 200 is kept as JSON, for its client and query alone; anything else is answered as it comes. */
export async function answerCached(
  route: JsonRoute,
  call: Call<z.ZodObject, z.ZodType>,
  policy: CachePolicy,
  knownTags = call.request.headers["if-none-match"] ?? "",
): Promise<Answer> {
  const { ctx, api, input } = call;
  // What is kept is handed out without asking the route.
  requireScope(ctx, route.scope);
  const { value, outcome, freshForMs } = await api.cache.fetch<Text>({
    clientId: ctx.principal.client_id,
    key: `${route.operationId}:${digest(canonicalJson(input))}`,
    policy,
    async compute() {
      const { status, body, headers } = await route.handle(call);
      return { status, json: JSON.stringify(body), ...(headers && { headers }) };
    },
    encode: ({ status, json }) => (status === 200 ? json : undefined),
    decode: (json) => ({ status: 200, json }),
  });
  api.metrics.cached(route.operationId, outcome);
  if (value.status !== 200) return value;
  const etag = `"${digest(value.json)}"`;
  const headers = {
    etag,
    "cache-control": `private, max-age=${Math.min(BROWSER_SECONDS, Math.floor(freshForMs / 1_000))}`,
    vary: "Authorization, X-Client-Id, Accept",
    // RFC 9211.
    "cache-status": outcome === "computed" ? "livora; fwd=miss" : `livora; hit; detail=${outcome}`,
  };
  if (matches(knownTags, etag)) return { status: 304, headers };
  return { ...value, headers };
}

type Text = Answer & { json: string };

/** 144 bits: nobody finds two that are alike. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 24);
}

/** RFC 9110, 13.1.2: a proxy may have made the tag weak, which is as good for this. */
function matches(header: string, etag: string): boolean {
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
