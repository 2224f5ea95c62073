import type { FunnelReport } from "../../../analytics/reports/funnel.ts";
import type { ReportTable } from "../../../core/report-table.ts";

/** A row for each step, first of all units, then of each group. */
export const funnelTable: ReportTable = {
  columns: [
    { name: "is_total", type: "boolean" },
    { name: "group", type: "text" },
    { name: "step", type: "integer" },
    { name: "event_type", type: "text" },
    { name: "count", type: "integer" },
    { name: "conversion_from_previous", type: "number" },
    { name: "conversion_from_first", type: "number" },
  ],
  *rows(body) {
    const { steps, groups } = body as FunnelReport;
    yield* rowsOf(true, null, steps);
    for (const group of groups) yield* rowsOf(false, group.key, group.steps);
  },
};

function rowsOf(isTotal: boolean, key: string | null, steps: FunnelReport["steps"]) {
  return steps.map(({ event_type, count, conversion_from_previous, conversion_from_first }, nth) => [
    isTotal,
    key,
    nth + 1,
    event_type,
    count,
    conversion_from_previous,
    conversion_from_first,
  ]);
}
