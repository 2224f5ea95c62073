import type { FunnelReport } from "../../analytics/reports/funnel.ts";
import { isObject } from "../../core/is-object.ts";
import { escapeHtml, formatNumber, formatShare } from "./format.ts";

const MOST_GROUPS = 20;

export function isFunnel(body: unknown): body is FunnelReport {
  return isObject(body) && Array.isArray(body["steps"]) && Array.isArray(body["groups"]);
}

/** A bar for each step, and a line for each group. */
export function renderFunnel({ unit, window, steps, groups }: FunnelReport): string {
  const bars = steps.map(({ event_type, count, conversion_from_first }) => {
    const width = Math.round((conversion_from_first ?? 0) * 1_000) / 10;
    return `<div class="step">
<p><span class="name">${escapeHtml(event_type.replaceAll("_", " "))}</span><span class="count">${formatNumber(count)}</span><span class="share">${formatShare(conversion_from_first)}</span></p>
<svg class="bar" role="img" aria-label="${formatShare(conversion_from_first)}"><rect class="rest" width="100%" height="14" rx="4"/><rect class="part" width="${width}%" height="14" rx="4"/></svg>
</div>`;
  });
  const about = `<p class="about">Counted: each ${unit}, within ${escapeHtml(window)} of its first step.</p>`;
  return `${bars.join("\n")}\n${about}${groups.length > 0 ? renderGroups(steps, groups) : ""}`;
}

function renderGroups(steps: FunnelReport["steps"], groups: FunnelReport["groups"]): string {
  const head = steps.map(({ event_type }) => `<th class="number">${escapeHtml(event_type.replaceAll("_", " "))}</th>`);
  const rows = groups.slice(0, MOST_GROUPS).map(({ key, steps: counts }) => {
    const cells = counts.map(({ count }) => `<td class="number">${formatNumber(count)}</td>`);
    const share = `<td class="number">${formatShare(counts.at(-1)?.conversion_from_first ?? null)}</td>`;
    return `<tr><td>${escapeHtml(key ?? "not known")}</td>${cells.join("")}${share}</tr>`;
  });
  const more = groups.length > MOST_GROUPS ? `<p class="about">and ${groups.length - MOST_GROUPS} more</p>` : "";
  return `<div class="scroll"><table><thead><tr><th>group</th>${head.join("")}<th class="number">all steps</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>${more}`;
}
