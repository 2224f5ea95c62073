import type { Row, Scenario } from "../scenario.ts";
import { startContenders } from "./edge-contenders.ts";

/** 1×, 2× and 4× the load. */
const RATES = [5_000, 10_000, 20_000];
const BATCH = 10;

/** (e) What a million events cost the edge in CPU and memory, and whether that grows with the load. */
export const edgeCost: Scenario = {
  name: "edge-cost",
  async run(bench) {
    const contenders = await startContenders(bench);
    const rows = new Map<number, Row>();
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        for (const rate of RATES) {
          const load = {
            batch: BATCH,
            connections: 256,
            eventsPerSecond: rate,
            seconds: round === 0 ? 1 : bench.seconds,
          };
          const measured = await contenders.onStream.measure(load);
          if (round === 0) continue;
          const row: Row = rows.get(rate) ?? {
            part: "e",
            what: contenders.onStream.name,
            load: `${rate}/s, batches of ${BATCH}`,
          };
          rows.set(rate, row);
          (row.perSecond ??= []).push(measured.events / measured.seconds);
          (row.p99Ms ??= []).push(measured.p99Ms);
          (row.cpuMicros ??= []).push(measured.cpuMicros / measured.events);
          if (measured.streamMicros !== null) (row.standInMicros ??= []).push(measured.streamMicros / measured.events);
          (row.memoryMb ??= []).push(measured.residentMb);
          row.note = "CPU µs each = CPU seconds per million";
        }
        bench.report(`edge-cost: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await contenders.stop();
    }
    return [...rows.values()];
  },
};
