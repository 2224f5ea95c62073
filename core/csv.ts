/** What a cell may hold; null and undefined leave it empty. */
export type Cell = string | number | boolean | null | undefined;

const NEEDS_QUOTES = /[",\r\n]/;
/** With these a spreadsheet begins a formula; the wide ones are what some of them take for the same. */
const BEGINS_FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
/** Nothing else can be in it than a number: `-5`, `+919812345678`. */
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/**
 * A line by RFC 4180, with its end. What a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text;
 * numbers, also those that are written as text, stay as they are.
 */
export function formatCsvLine(cells: readonly Cell[]): string {
  return `${cells.map(formatCell).join(",")}\r\n`;
}

function formatCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  const safe = BEGINS_FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
