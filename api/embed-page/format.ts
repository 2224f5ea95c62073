import type { Column, Value } from "../../core/report-table.ts";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
/** Columns that are parts of a whole. */
const SHARE = /(^|_)(conversion|retention|rate|share|probability)(_|$)/;

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export function formatNumber(value: number): string {
  return number.format(value);
}

export function formatShare(value: number | null): string {
  return value === null ? "–" : share.format(value);
}

/** `2026-11-21 10:00 UTC`. */
export function formatMoment(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

export function isNumeric({ type }: Column): boolean {
  return type === "integer" || type === "number";
}

/** Money stands in minor units: the column's name says so. */
export function formatValue(column: Column, value: Value): string {
  if (value === null) return "–";
  if (typeof value === "number") return SHARE.test(column.name) ? formatShare(value) : formatNumber(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return column.type === "time" ? formatMoment(value) : value;
}
