import { startChild } from "../child.ts";
import { cpuMicrosOf } from "../process-cpu.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { EnrichmentLoad, EnrichmentResult } from "../servers/enrichment.ts";
import { median } from "../statistics.ts";
import { since } from "./edge-contenders.ts";

/** Many visitors at a time touch many items; few touch the same ones again and again. */
const VISITORS = [50, 500];
const EVENTS = 12_000;
const QUICK_EVENTS = 3_000;

/** (b) Events into user store and lake, and what the embedded user store alone can take: its writes are the bottleneck. */
export const enrichment: Scenario = {
  name: "enrichment",
  async run(bench) {
    const { config } = bench.stack;
    const { child } = await startChild<null, EnrichmentLoad, EnrichmentResult>("servers/enrichment.ts", { config });
    const events = bench.isQuick ? QUICK_EVENTS : EVENTS;
    const measured: { row: Row; load: EnrichmentLoad }[] = [
      ...VISITORS.flatMap((visitors) => [
        { row: rowOf("enrichment", visitors), load: { what: "enrich" as const, visitors, events } },
        {
          row: rowOf("enrichment, lake and counters", visitors),
          load: { what: "everything" as const, visitors, events },
        },
      ]),
      {
        row: { part: "b", what: "embedded user store alone", load: "conditional writes, 32 at a time" },
        load: { what: "store", visitors: 0, events: Math.round(events / 2) },
      },
    ];
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        for (const { row, load } of measured) {
          const before = cpuMicrosOf(bench.stack.parts.dynamodb.pid);
          const result = await child.ask(load);
          const storeMicros = since(before, cpuMicrosOf(bench.stack.parts.dynamodb.pid));
          if (round > 0) enter(row, result, storeMicros);
        }
        bench.report(`enrichment: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await child.stop();
    }
    const rows = measured.map(({ row }) => row);
    return rows.map((row) => ({ ...row, note: noteOf(row, rows) }));
  },
};

function rowOf(what: string, visitors: number): Row {
  return { part: "b", what, load: `${visitors} visitors at a time` };
}

function enter(row: Row, result: EnrichmentResult, storeMicros: number | null): void {
  (row.perSecond ??= []).push(result.events / result.seconds);
  (row.cpuMicros ??= []).push(result.cpuMicros / result.events);
  if (storeMicros !== null) (row.standInMicros ??= []).push(storeMicros / result.events);
  (row.memoryMb ??= []).push(result.residentMb);
}

function noteOf(row: Row, rows: readonly Row[]): string {
  const alone = median(rows.at(-1)?.perSecond ?? []);
  if (row === rows.at(-1)) return "items, not events";
  return `${(median(row.perSecond ?? []) / alone).toFixed(1)} events for each write the store can take`;
}
