import { startChild } from "../child.ts";
import { median } from "../statistics.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { StreamLoad } from "../servers/stream-alone.ts";
import { cpuMicrosOf } from "../process-cpu.ts";
import { type Measured, since, startContenders } from "./edge-contenders.ts";

const BATCHES = [1, 10, 100];
/** Enough that group commit has something to group, the same for all. */
const CONNECTIONS: Record<number, number> = { 1: 128, 10: 64, 100: 32 };

const PLAIN = "embedded stream alone, plain records of ";

/** (a) Events a second accepted, as fast as each contender takes them. */
export const edgeThroughput: Scenario = {
  name: "edge-throughput",
  async run(bench) {
    const contenders = await startContenders(bench);
    const alone = await startChild<null, StreamLoad, Omit<Measured, "streamMicros">>("servers/stream-alone.ts", {
      config: bench.stack.config,
    });
    const streamCpu = () => cpuMicrosOf(bench.stack.parts.kinesis.pid);
    const rows = new Map<string, Row>();
    const http = [contenders.floor, contenders.onSink, contenders.onStream];
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        // The first round is for the compilers.
        const seconds = round === 0 ? 1 : bench.seconds;
        for (const batch of BATCHES) {
          const connections = CONNECTIONS[batch] ?? 1;
          for (const { name, measure } of http) {
            const measured = await measure({ batch, connections, seconds });
            if (round > 0) enter(rows, name, batch, measured);
          }
          for (const [name, load] of aloneLoads(batch, connections)) {
            const before = streamCpu();
            const measured = await alone.child.ask({ ...load, seconds });
            const streamMicros = since(before, streamCpu());
            if (round > 0) enter(rows, name, batch, { ...measured, streamMicros });
          }
        }
        bench.report(`edge-throughput: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await Promise.all([contenders.stop(), alone.child.stop()]);
    }
    return compare([...rows.values()]);
  },
};

/** Beside it the stream itself: with records of at least ten events as they are, and through our producer. */
function aloneLoads(batch: number, connections: number): [string, Omit<StreamLoad, "seconds">][] {
  const inRecord = Math.max(10, batch);
  return [
    [PLAIN + inRecord, { through: "plain records", batch: inRecord, concurrency: 2 }],
    ["our producer alone on it", { through: "producer", batch, concurrency: connections }],
  ];
}

function enter(rows: Map<string, Row>, what: string, batch: number, measured: Measured): void {
  const key = `${batch} ${what}`;
  const row = rows.get(key) ?? { part: "a", what, load: `batches of ${batch}` };
  rows.set(key, row);
  (row.perSecond ??= []).push(measured.events / measured.seconds);
  (row.p50Ms ??= []).push(measured.p50Ms);
  (row.p99Ms ??= []).push(measured.p99Ms);
  (row.cpuMicros ??= []).push(measured.cpuMicros / measured.events);
  if (measured.streamMicros !== null) (row.standInMicros ??= []).push(measured.streamMicros / measured.events);
  (row.memoryMb ??= []).push(measured.residentMb);
  if (measured.refused > 0) row.note = `${measured.refused} refused`;
}

/** Beside what each row is to be held against: of the medians, because all were measured in turn. */
function compare(rows: Row[]): Row[] {
  const rate = (what: string, load: string) =>
    median(rows.find((row) => row.what.startsWith(what) && row.load === load)?.perSecond ?? []);
  for (const row of rows.filter(({ what }) => what.startsWith("edge"))) {
    const own = median(row.perSecond ?? []);
    const parts = [`${share(own, rate("floor", row.load))} of the floor`];
    if (row.what.endsWith("stream")) parts.push(`${share(own, rate(PLAIN, row.load))} of the stream alone`);
    row.note = [row.note, parts.join(", ")].filter(Boolean).join("; ");
  }
  return rows.toSorted((a, b) => a.load.length - b.load.length);
}

function share(value: number, of: number): string {
  return `${Math.round((value / of) * 100)} %`;
}
