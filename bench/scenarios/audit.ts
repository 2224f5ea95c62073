import { startChild } from "../child.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { AuditLoad, AuditResult, Measured } from "../servers/audit.ts";
import { median } from "../statistics.ts";

const EVENTS = 200_000;
const QUICK_EVENTS = 50_000;
const BATCH = 20_000;

/** (e) What it costs to be sure: notes at the edge, receipts, and the audit of an hour, beside the lake's writer. */
export const audit: Scenario = {
  name: "audit",
  async run(bench) {
    const { child } = await startChild<null, AuditLoad, AuditResult>("servers/audit.ts", {
      config: bench.stack.config,
    });
    const events = bench.isQuick ? QUICK_EVENTS : EVENTS;
    const load = `an hour of ${events.toLocaleString("en")} events`;
    const rows: Record<"journal" | "receipts" | "audit" | "lake", Row> = {
      journal: { part: "e", what: "audit: the edge's notes", load: "requests of 10, one by one" },
      receipts: { part: "e", what: "audit: receipts", load: `batches of ${BATCH}` },
      audit: { part: "e", what: "audit: the audit itself", load },
      lake: { part: "e", what: "to compare: the same events into the lake", load: `batches of ${BATCH}` },
    };
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        const result = await child.ask({ events, batchSize: BATCH });
        if (result.inLake !== events) throw new Error(`the audit has found ${result.inLake} of ${events} events`);
        if (round > 0)
          for (const [name, row] of Object.entries(rows)) enter(row, events, result[name as keyof typeof rows]);
        bench.report(`audit: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await child.stop();
    }
    const all = micros(rows.journal) + micros(rows.receipts) + micros(rows.audit);
    rows.audit.note = `all three: ${all.toFixed(0)} CPU s a million, ${(all / micros(rows.lake)).toFixed(1)} times the lake's writer`;
    return Object.values(rows);
  },
};

function micros({ cpuMicros = [] }: Row): number {
  return median(cpuMicros);
}

function enter(row: Row, events: number, measured: Measured): void {
  (row.perSecond ??= []).push(events / measured.seconds);
  (row.cpuMicros ??= []).push(measured.cpuMicros / events);
  (row.memoryMb ??= []).push(measured.residentMb);
}
