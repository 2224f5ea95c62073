import { isObject } from "../../core/is-object.ts";
import type { ReportTable } from "../../core/report-table.ts";
import { escapeHtml, formatMoment } from "./format.ts";
import { isCohorts, renderCohorts } from "./render-cohorts.ts";
import { isFunnel, renderFunnel } from "./render-funnel.ts";
import { renderTable } from "./render-table.ts";
import { STYLE, STYLE_HASH } from "./style.ts";

interface Tile {
  title: string;
  /** What was asked. */
  query: Readonly<Record<string, string>>;
  /** The report; undefined while it is being worked out. */
  body: unknown;
  table: ReportTable | undefined;
}

/** Seconds until a page that stays open asks again. */
const AGAIN = { done: 300, running: 5 };

/** A page that needs nothing but itself. */
export function renderPage({ title, query, body, table }: Tile): string {
  const asOf = isObject(body) && typeof body["as_of"] === "string" ? `As of ${formatMoment(body["as_of"])}` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="${body === undefined ? AGAIN.running : AGAIN.done}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="about">${escapeHtml(describeQuery(query))}</p>
${renderBody(body, table)}
<footer>${escapeHtml(asOf)}</footer>
</main>
</body>
</html>
`;
}

function renderBody(body: unknown, table: ReportTable | undefined): string {
  if (body === undefined) return `<p class="none">This is being worked out. It will be here in a moment.</p>`;
  if (isFunnel(body)) return renderFunnel(body);
  if (isCohorts(body)) return renderCohorts(body);
  if (table) return renderTable(table, body);
  return `<p class="none">This report cannot be drawn. Its figures are at this address with <code>/data</code> after it.</p>`;
}

function describeQuery({ start, end, ...others }: Readonly<Record<string, string>>): string {
  const range = start !== undefined && end !== undefined ? [`${start} to ${end}, exclusive`] : [];
  const rest = Object.entries(others).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
  return [...range, ...rest].join(" · ");
}

/** `origins`: who may show the page in a frame; nobody where there are none. */
export function pageHeaders(origins: readonly string[]): Record<string, string> {
  const ancestors = origins.length > 0 ? origins.join(" ") : "'none'";
  const policy = ["default-src 'none'", `style-src ${STYLE_HASH}`, "base-uri 'none'", "form-action 'none'"];
  return {
    "content-security-policy": [...policy, `frame-ancestors ${ancestors}`].join("; "),
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",
    "x-robots-tag": "noindex",
  };
}
