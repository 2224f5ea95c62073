import { startChild } from "../child.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { LakeLoad, LakeResult } from "../servers/lake-writer.ts";

/** What one shard hands over at a time: after two quiet seconds at 1,000 and 5,000 events a second, and when it is behind. */
const BATCH_SIZES = [2_000, 10_000, 14_000];
const EVENTS = 56_000;
const QUICK_EVENTS = 28_000;

/** (b) The lake's writer alone: enriched events in memory to Parquet on disk, booked in PostgreSQL. */
export const lakeWriter: Scenario = {
  name: "lake-writer",
  async run(bench) {
    const { child } = await startChild<null, LakeLoad, LakeResult>("servers/lake-writer.ts", {
      config: bench.stack.config,
    });
    const rows = BATCH_SIZES.map((size): Row => ({ part: "b", what: "lake writer alone", load: `batches of ${size}` }));
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        for (const [i, batchSize] of BATCH_SIZES.entries()) {
          const batches = Math.round((bench.isQuick ? QUICK_EVENTS : EVENTS) / batchSize);
          const measured = await child.ask({ batches, batchSize });
          const row = rows[i];
          if (round === 0 || row === undefined) continue;
          (row.perSecond ??= []).push(measured.events / measured.seconds);
          (row.cpuMicros ??= []).push(measured.cpuMicros / measured.events);
          (row.memoryMb ??= []).push(measured.residentMb);
        }
        bench.report(`lake-writer: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await child.stop();
    }
    return rows;
  },
};
