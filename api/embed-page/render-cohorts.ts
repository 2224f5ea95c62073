import type { CohortsReport } from "../../analytics/reports/cohorts.ts";
import { isObject } from "../../core/is-object.ts";
import { escapeHtml, formatNumber, formatShare } from "./format.ts";

const MOST_COHORTS = 24;
const MOST_AGES = 13;

export function isCohorts(body: unknown): body is CohortsReport {
  return isObject(body) && Array.isArray(body["cohorts"]) && "by" in body;
}

/** A line for each cohort, a column for each age, the darker the more have come back. */
export function renderCohorts({ cohorts, period }: CohortsReport): string {
  if (cohorts.length === 0) return `<p class="none">There is nothing to show.</p>`;
  const shown = cohorts.slice(-MOST_COHORTS);
  const oldest = Math.max(...shown.flatMap(({ periods }) => periods.map(({ age }) => age)));
  const ages = Array.from({ length: Math.min(oldest + 1, MOST_AGES) }, (_, age) => age);
  const head = ages.map((age) => `<th class="number">${age}</th>`).join("");
  const rows = shown.map(({ cohort, persons, periods }) => {
    const byAge = new Map(periods.map((point) => [point.age, point.retention]));
    const last = Math.max(...byAge.keys());
    const cells = ages.map((age) => (age > last ? "<td></td>" : renderCell(byAge.get(age) ?? 0)));
    return `<tr><td>${escapeHtml(cohort)}</td><td class="number">${formatNumber(persons)}</td>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="heat"><thead><tr><th>began</th><th class="number">persons</th>${head}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>
<p class="about below">Of those who began, how many were there again so many ${period}s later.</p>`;
}

/** Eleven shades, because no style may stand at the cell itself. */
function renderCell(retention: number): string {
  const shade = Math.min(10, Math.max(0, Math.round(retention * 10)));
  return `<td class="number shade-${shade}">${formatShare(retention)}</td>`;
}
