import type { AuditedHour } from "../../core/contracts/audit.ts";

const COLUMNS: readonly (readonly [title: string, cell: (hour: AuditedHour) => string | number])[] = [
  ["client", (hour) => hour.client_id || "(unreadable)"],
  ["hour", (hour) => hour.hour.slice(0, 16)],
  ["acknowledged", (hour) => hour.acknowledged],
  ["received", (hour) => hour.received],
  ["lake", (hour) => hour.in_lake],
  ["dropped", (hour) => hour.dropped],
  ["dead letters", (hour) => hour.dead_letters],
  ["in flight", (hour) => hour.in_flight],
  ["unexplained", (hour) => hour.unexplained],
  ["messages", (hour) => hour.deliveries],
  ["wrong", (hour) => hour.unexplained_deliveries],
  ["verdict", (hour) => hour.verdict],
];

/** For people: a line for each client and hour, then what is wrong, what is stale, and what is not known. */
export function describeAudits(audited: readonly AuditedHour[]): string {
  if (audited.length === 0) return "Nothing was acknowledged in that time, and no message begun.";
  const table = [
    COLUMNS.map(([title]) => title),
    ...audited.map((hour) => COLUMNS.map(([, cell]) => String(cell(hour)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => pad(cell, widths[i] ?? 0, i < 2))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...audited.flatMap(describeDetails)].join("\n");
}

function pad(cell: string, width: number, isText: boolean): string {
  return isText ? cell.padEnd(width) : cell.padStart(width);
}

function describeDetails({ client_id, hour, details }: AuditedHour): string[] {
  const { differences, stale, notes } = details;
  const lines = [
    ...differences.map((one) => {
      const what = one.event_id ?? one.delivery_id ?? "";
      const count = one.count === 1 ? "" : ` (${one.count})`;
      return `  ! ${one.kind}${count} ${what}${one.place === null ? "" : ` at ${one.place}`}\n      last seen: ${one.last_seen}`;
    }),
    ...stale.map(
      (one) =>
        `  ? message ${one.delivery_id} is ${one.state} since ${one.since}${one.reason ? `: ${one.reason}` : ""}`,
    ),
    ...notes.map((note) => `  · ${note}`),
  ];
  return lines.length === 0 ? [] : ["", `${client_id || "(unreadable)"}, ${hour.slice(0, 16)}`, ...lines];
}
