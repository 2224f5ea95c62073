import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { HttpError } from "../core/problem.ts";
import type { CrmContext } from "../crm/context.ts";
import { openEmbed, type OpenedEmbed } from "../crm/open-embed.ts";
import { answerCached, cachePolicyOf } from "./answer-cached.ts";
import { isPublishable, type Reports } from "./reports.ts";
import type { Answer, JsonRoute, OpenCall } from "./route.ts";

interface ShownTile {
  embed: OpenedEmbed;
  route: JsonRoute;
  answer: Answer;
}

/** What the token's link shows now; 304 where it is what `knownTags` names. Throws 401, 403 and 410, and what the report throws. */
export async function readTile(call: OpenCall, knownTags?: string): Promise<ShownTile> {
  const { api, reports, request, request_id, limiter } = call;
  const { token, ...others } = call.input as { token: string };
  if (Object.keys(others).length > 0) throw new HttpError(403, "The link shows its own tile and nothing else.");
  const embed = await openEmbed(api.tenantDb, token);
  await limiter.take(embed.client_id);
  const route = findPublishable(reports, embed.report);
  const input = parse(route.input!, embed.query, "tile");
  const principal = {
    client_id: embed.client_id,
    actor: `embed:${embed.embed_id}`,
    scopes: ["read" as const],
    request_id,
  };
  const { tenantDb: db, redis, log, journeys, replays } = api;
  const ctx: CrmContext = { db, redis, log, journeys, replays, principal };
  const asked = { api, reports, ctx, input, body: undefined, sent: undefined, request };
  const answer = await answerCached(route, asked, cachePolicyOf(route)!, knownTags);
  return { embed, route, answer };
}

/** Throws `invalid` where there is no such report, `forbidden` where it is not for everybody. */
export function findPublishable(reports: Reports, name: string): JsonRoute {
  const route = reports.get(name);
  if (!route) {
    const reason = `is none of ${[...reports.keys()].join(", ")}`;
    throw new AppError("invalid", "The body is not valid.", { faults: [{ path: "/tile/report", reason }] });
  }
  if (!isPublishable(route)) throw new AppError("forbidden", `The report "${name}" is not for everybody.`);
  return route;
}
