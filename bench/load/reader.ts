import { Agent, request } from "node:http";

import postgres from "postgres";

import { serveParent } from "../child.ts";
import { percentile } from "../statistics.ts";

/** Paths are asked in turn; so is SQL, which counts a year of one funnel. */
export type ReadLoad = { connections: number; seconds: number } & (
  | { port: number; paths: string[]; headers: Record<string, string> }
  | { url: string; clientId: string; funnel: string; ranges: [start: string, end: string][] }
);

export interface ReadResult {
  answered: number;
  refused: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

await serveParent<null, ReadLoad>(async () => ({ ready: null, answer: run }));

async function run(load: ReadLoad): Promise<ReadResult> {
  const { ask, close } = "port" in load ? overHttp(load) : bySql(load);
  const latencies: number[] = [];
  let refused = 0;
  let nth = 0;
  // Connections are made before it is measured.
  await Promise.all(Array.from({ length: load.connections }, () => ask(nth++)));
  const begun = performance.now();
  const endsAt = begun + load.seconds * 1_000;
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (performance.now() < endsAt) {
        const askedAt = performance.now();
        if (!(await ask(nth++))) refused++;
        latencies.push(performance.now() - askedAt);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1_000;
  await close();
  const sorted = Float64Array.from(latencies);
  const [p50Ms, p99Ms] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
  return { answered: latencies.length, refused, seconds, p50Ms, p99Ms };
}

interface Asker {
  ask(nth: number): Promise<boolean>;
  close(): Promise<void>;
}

function overHttp({ port, paths, headers, connections }: Extract<ReadLoad, { port: number }>): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const ask = (nth: number) =>
    new Promise<boolean>((resolve, reject) => {
      const sent = request({ port, host: "127.0.0.1", path: paths[nth % paths.length], agent, headers }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode === 200 || response.statusCode === 304));
      });
      sent.once("error", reject).end();
    });
  return { ask, close: async () => agent.destroy() };
}

function bySql({ url, clientId, funnel, ranges, connections }: Extract<ReadLoad, { url: string }>): Asker {
  const sql = postgres(url, { max: connections, onnotice: () => {} });
  const ask = async (nth: number) => {
    const [start, end] = ranges[nth % ranges.length]!;
    const rows = await sql`
      select step, sum(units)::float8 as units from analytics.funnel_hourly
      where client_id = ${clientId} and funnel = ${funnel} and grain = 'day'
        and entered >= ${start} and entered < ${end} and entered_before < ${start} group by step`;
    return rows.length === 3;
  };
  return { ask, close: () => sql.end() };
}
