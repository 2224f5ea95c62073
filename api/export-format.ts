import type { Request } from "express";

import { AppError } from "../core/errors.ts";
import { type ReportTable, tableOfReport } from "../core/report-table.ts";
import { isAnalytics } from "./answer-cached.ts";
import type { JsonRoute } from "./route.ts";

export const EXPORT_TYPES = { csv: "text/csv", parquet: "application/vnd.apache.parquet" } as const;
export type ExportFormat = keyof typeof EXPORT_TYPES;
export const FORMATS = ["json", ...Object.keys(EXPORT_TYPES)] as const;

const tables = new WeakMap<JsonRoute, ReportTable | undefined>();

/** As which table the route's report can be had; undefined where it is none. */
export function tableOf(route: JsonRoute): ReportTable | undefined {
  if (route.table === false || !isAnalytics(route)) return undefined;
  if (route.table) return route.table;
  const schema = route.responses[200]?.schema;
  if (schema && !tables.has(route)) tables.set(route, tableOfReport(schema));
  return tables.get(route);
}

/**
 * What `format` or `Accept` asks for, where the route's report is a table: undefined is JSON. `format` is taken out of the query, since no
 * route knows it. Throws `invalid` where it is none of ours.
 */
export function takeFormat(
  route: JsonRoute,
  request: Request,
  query: Record<string, unknown>,
): { table: ReportTable; format: ExportFormat } | undefined {
  const { format: asked } = query;
  if (!isAnalytics(route)) return undefined;
  delete query["format"];
  const table = tableOf(route);
  if (asked !== undefined) {
    const reason = reasonAgainst(asked, table);
    if (reason) throw new AppError("invalid", "The request is not valid.", { faults: [{ path: "/format", reason }] });
    return asked === "json" ? undefined : { table: table!, format: asked as ExportFormat };
  }
  const accepted = request.accepts(["application/json", ...Object.values(EXPORT_TYPES)]);
  const format = (Object.keys(EXPORT_TYPES) as ExportFormat[]).find((name) => EXPORT_TYPES[name] === accepted);
  return format && table && { table, format };
}

function reasonAgainst(asked: unknown, table: ReportTable | undefined): string | undefined {
  if (!FORMATS.includes(asked as "json")) return `must be one of ${FORMATS.join(", ")}`;
  return asked === "json" || table ? undefined : "this report is no table: it can be had as JSON only";
}
