import { z } from "zod";

import { pageHeaders, renderPage } from "../../embed-page/render-page.ts";
import { readTile } from "../../embed-tile.ts";
import { tableOf } from "../../export-format.ts";
import { defineOpen } from "../../route.ts";

const input = z.object({ token: z.string().meta({ description: "Of a link." }) });
const problems = [400, 401, 403, 410, 429, 503];

export const showEmbedRoute = defineOpen({
  method: "get",
  path: "/embed/{token}",
  operationId: "showEmbed",
  tag: "analytics",
  summary: "The page of an embedded tile",
  input,
  responses: { 200: { description: "It needs nothing but itself.", schema: z.string(), type: "text/html" } },
  problems,
  async handle(call) {
    const { embed, route, answer } = await readTile(call, "");
    const { title, report, query, origins } = embed;
    const body: unknown = answer.status === 200 ? JSON.parse(answer.json!) : undefined;
    const heading = title ?? `${report[0]!.toUpperCase()}${report.slice(1)}`;
    const html = renderPage({ title: heading, query, body, table: tableOf(route) });
    return { status: 200, html, headers: { ...pageHeaders(origins), "cache-control": "private, max-age=10" } };
  },
});

export const readEmbedRoute = defineOpen({
  method: "get",
  path: "/embed/{token}/data",
  operationId: "readEmbed",
  tag: "analytics",
  summary: "What an embedded tile shows, as the report's own JSON",
  input,
  responses: {
    200: { description: "The report.", schema: z.unknown() },
    202: { description: "It is being worked out: ask again.", schema: z.object({ state: z.literal("running") }) },
    304: { description: "It is still what `If-None-Match` names." },
  },
  problems,
  async handle(call) {
    const { answer } = await readTile(call);
    if (answer.status !== 202) return answer;
    // Where to look for it is for those who have a key.
    return { status: 202, body: { state: "running" } };
  },
});
