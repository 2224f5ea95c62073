import type { Row } from "./scenario.ts";
import { median } from "./statistics.ts";

const COLUMNS: [string, (row: Row) => string][] = [
  ["", (row) => row.part],
  ["what", (row) => row.what],
  ["load", (row) => row.load],
  ["per second", (row) => spread(row.perSecond, 0)],
  ["p50 ms", (row) => spread(row.p50Ms, 2)],
  ["p99 ms", (row) => spread(row.p99Ms, 2)],
  ["CPU µs each", (row) => spread(row.cpuMicros, 1)],
  ["stand-in's", (row) => spread(row.standInMicros, 1)],
  ["MB", (row) => spread(row.memoryMb, 0)],
  ["note", (row) => row.note ?? ""],
];

/** Markdown: `median (min–max)` of the rounds. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))];
  const widths = COLUMNS.map((_, i) => Math.max(3, ...cells.map((line) => line[i]?.length ?? 0)));
  const lines = cells.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}

function spread(values: readonly number[] | undefined, digits: number): string {
  if (!values || values.length === 0) return "";
  const shown = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (values.length === 1) return shown(median(values));
  return `${shown(median(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`;
}
