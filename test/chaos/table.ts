import type { Report } from "./scenario.ts";

const COLUMNS: [string, (report: Report) => string][] = [
  ["scenario", ({ name }) => `\`${name}\``],
  ["fault", ({ fault }) => fault],
  ["invariant", ({ invariant }) => invariant],
  ["runs", ({ runs, untried }) => (untried === null ? String(runs) : "0")],
  [
    "worst recovery",
    ({ worstRecoveryMs }) => (worstRecoveryMs === null ? "–" : `${(worstRecoveryMs / 1000).toFixed(1)} s`),
  ],
  ["verdict", verdictOf],
  [
    "seen",
    ({ notes, events, people }) => [...notes, ...(events > 0 ? [`${events} events, ${people} people`] : [])].join("; "),
  ],
];

/** Never `holds` for what was not tried. */
export function verdictOf({ untried, findings, runs }: Report): string {
  if (untried !== null) return `could not be tried here: ${untried}`;
  if (findings.length > 0) return `BROKEN (${findings.length})`;
  return runs > 0 ? "holds" : "BROKEN (never ran)";
}

export function isBroken(report: Report): boolean {
  return verdictOf(report).startsWith("BROKEN");
}

/** Markdown. */
export function formatTable(reports: readonly Report[]): string {
  const lines = [
    COLUMNS.map(([name]) => name),
    COLUMNS.map(() => "---"),
    ...reports.map((report) => COLUMNS.map(([, cell]) => cell(report).replaceAll("|", "\\|"))),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
