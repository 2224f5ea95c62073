import { z } from "zod";

import { AppError } from "../../../core/errors.ts";
import { parse } from "../../../core/parse.ts";
import { requireScope } from "../../../crm/context.ts";
import { createEmbed, createEmbedBody } from "../../../crm/create-embed.ts";
import { embedSchema } from "../../../crm/embed.ts";
import { findPublishable } from "../../embed-tile.ts";
import { defineRoute, type JsonRoute } from "../../route.ts";

const schema = embedSchema.extend({
  token: z.string(),
  url: z.string().meta({ description: "A page that shows the tile, for an `<iframe>`." }),
  data_url: z.string().meta({ description: "The same as JSON." }),
});

export const createEmbedRoute = defineRoute({
  method: "post",
  path: "/api/v1/embeds",
  operationId: "createEmbed",
  tag: "analytics",
  summary: "A link that shows one tile of a dashboard, for a time, to whoever has it",
  scope: "admin",
  body: createEmbedBody,
  responses: { 201: { description: "Nobody is told the token again.", schema: schema.meta({ id: "NewEmbed" }) } },
  async handle({ ctx, api, reports, body }) {
    requireScope(ctx, "admin");
    const route = findPublishable(reports, body.tile.report);
    const query = readQuery(route, body.tile.query);
    const { token, ...embed } = await createEmbed(ctx, { ...body, tile: { report: body.tile.report, query } });
    const url = `${api.config.LIVORA_PUBLIC_API_URL}/embed/${token}`;
    return { status: 201, body: { ...embed, token, url, data_url: `${url}/data` } };
  },
});

/** As it would stand in a URL, sorted. Throws `invalid` where the report would refuse it, or does not know a part of it. */
function readQuery(route: JsonRoute, given: Record<string, string | number | boolean>): Record<string, string> {
  const entries = Object.entries(given).map(([name, value]) => [name, String(value)] as const);
  const query = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const known = route.input?.shape ?? {};
  const faults = Object.keys(query)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => ({ path: `/tile/query/${name}`, reason: "is nothing that the report knows" }));
  if (faults.length > 0) throw new AppError("invalid", "The body is not valid.", { faults });
  if (route.input) parse(route.input, query, "tile's query");
  return query;
}
