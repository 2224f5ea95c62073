import type { ReportTable } from "../../core/report-table.ts";
import { escapeHtml, formatValue, isNumeric } from "./format.ts";

const MOST_ROWS = 100;

/** The report's rows as they would be exported, the first of them. */
export function renderTable({ columns, rows }: ReportTable, body: unknown): string {
  const all = [...rows(body)];
  if (all.length === 0) return `<p class="none">There is nothing to show.</p>`;
  const classOf = columns.map((column) => (isNumeric(column) ? ' class="number"' : ""));
  const head = columns.map(({ name }, nth) => `<th${classOf[nth]}>${escapeHtml(name.replaceAll("_", " "))}</th>`);
  const lines = all.slice(0, MOST_ROWS).map((row) => {
    const cells = columns.map(
      (column, nth) => `<td${classOf[nth]}>${escapeHtml(formatValue(column, row[nth] ?? null))}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  const more = all.length > MOST_ROWS ? `<p class="about">and ${all.length - MOST_ROWS} more rows</p>` : "";
  return `<div class="scroll"><table><thead><tr>${head.join("")}</tr></thead>
<tbody>${lines.join("\n")}</tbody></table></div>${more}`;
}
