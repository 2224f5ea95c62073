import type { Row, Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";
import { startContenders } from "./edge-contenders.ts";

const EVENTS_PER_SECOND = 10_000;
const BATCHES = [1, 10];
const SECONDS = 60;
const QUICK_SECONDS = 5;

/** (a) What the specification asks for: 10,000 events a second that come whether or not the server is ready for them. */
export const edgeOpenLoop: Scenario = {
  name: "edge-open-loop",
  async run(bench) {
    const contenders = await startContenders(bench);
    const rows: Row[] = [];
    try {
      for (const batch of BATCHES) {
        const inBatch: Row[] = [];
        for (const { name, measure } of [contenders.floor, contenders.onSink, contenders.onStream]) {
          const load = { batch, connections: 256, eventsPerSecond: EVENTS_PER_SECOND };
          await measure({ ...load, seconds: 2 });
          const measured = await measure({ ...load, seconds: bench.isQuick ? QUICK_SECONDS : SECONDS });
          inBatch.push({
            part: "a",
            what: name,
            load: `${EVENTS_PER_SECOND}/s open loop, ${measured.seconds.toFixed(0)} s, batches of ${batch}`,
            perSecond: [measured.events / measured.seconds],
            p50Ms: [measured.p50Ms],
            p99Ms: [measured.p99Ms],
            cpuMicros: [measured.cpuMicros / measured.events],
            ...(measured.streamMicros !== null && { standInMicros: [measured.streamMicros / measured.events] }),
            memoryMb: [measured.residentMb],
            ...(measured.refused > 0 && { note: `${measured.refused} refused` }),
          });
          bench.report(`edge-open-loop: ${name}, batches of ${batch}`);
        }
        rows.push(...compare(inBatch));
      }
    } finally {
      await contenders.stop();
    }
    return rows;
  },
};

function compare(rows: Row[]): Row[] {
  const [floor, ...edges] = rows;
  const floorP99 = median(floor?.p99Ms ?? []);
  for (const row of edges) {
    const times = `p99 ${(median(row.p99Ms ?? []) / floorP99).toFixed(1)} × the floor's`;
    row.note = row.note ? `${row.note}; ${times}` : times;
  }
  return rows;
}
