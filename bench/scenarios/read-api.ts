import { DAY_MS } from "../../core/time.ts";
import { startChild } from "../child.ts";
import type { ReadLoad, ReadResult } from "../load/reader.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { ReadApiOptions, ReadApiReady } from "../servers/read-api.ts";
import { median } from "../statistics.ts";

const DAYS = 365;
const FIRST_DAY = "2025-01-01";
const CONNECTIONS = 4;
/** A range may begin and end on any of so many days, so that there are more of them than are asked for in a round. */
const SHIFTS = 120;
const FUNNELS = [
  { load: "visits", funnel: "purchase_by_session_pt30m", query: "unit=session&window=PT30M" },
  { load: "persons", funnel: "purchase_by_user_p7d", query: "unit=user&window=P7D" },
];

interface Contender {
  row: Row;
  ask: ReadLoad;
  /** As nobody had asked before. */
  isCold?: boolean;
}

/** (g) The Read API's funnel over a year of aggregates, beside a constant from memory and the plain select of the same rows. */
export const readApi: Scenario = {
  name: "read-api",
  async run(bench) {
    const options: ReadApiOptions = { config: bench.stack.config, firstDay: FIRST_DAY, days: DAYS };
    const { ready, child } = await startChild<ReadApiReady, "forget", null>("servers/read-api.ts", options);
    const load = await startChild<null, ReadLoad, ReadResult>("load/reader.ts", {});
    const contenders = listContenders(ready, bench.stack.config.LIVORA_POSTGRES_URL, bench.seconds);
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        for (const { row, ask, isCold } of contenders) {
          if (isCold) await child.ask("forget");
          // The first round is for the compilers.
          const measured = await load.child.ask({ ...ask, seconds: round === 0 ? 1 : bench.seconds });
          if (round > 0) enter(row, measured);
        }
        bench.report(`read-api: round ${round} of ${bench.rounds}, ${ready.rows} rows of aggregates`);
      }
    } finally {
      await Promise.all([load.child.stop(), child.stop()]);
    }
    return contenders.map(({ row }) => row);
  },
};

function listContenders(ready: ReadApiReady, url: string, seconds: number): Contender[] {
  const usual = { connections: CONNECTIONS, seconds };
  const headers = { authorization: `Bearer ${ready.key}` };
  const ranges = rangesOfYear();
  const floor: Contender = {
    row: { part: "g", what: "floor: a constant over HTTP", load: `${CONNECTIONS} connections` },
    ask: { ...usual, port: ready.floor, paths: ["/"], headers },
  };
  const others = FUNNELS.flatMap(({ load: name, funnel, query }): Contender[] => {
    const row = (what: string): Row => ({ part: "g", what, load: `a year of ${name}, ${CONNECTIONS} connections` });
    const pathOf = ([start, end]: readonly string[]) =>
      `/api/v1/analytics/funnel?start=${start!.slice(0, 10)}&end=${end!.slice(0, 10)}&${query}`;
    const paths = ranges.map(pathOf);
    const http = { ...usual, port: ready.api, headers };
    return [
      { row: row("plain select"), ask: { ...usual, url, clientId: ready.clientId, funnel, ranges } },
      { row: row("Read API, not cached"), ask: { ...http, paths }, isCold: true },
      { row: row("Read API, cached"), ask: { ...http, paths: paths.slice(0, 1) } },
    ];
  });
  return [floor, ...others];
}

const at = (day: number) => new Date(Date.parse(`${FIRST_DAY}T00:00:00Z`) + day * DAY_MS).toISOString();

/** Each another question, so that no answer is there already. */
function rangesOfYear(): [string, string][] {
  return Array.from({ length: SHIFTS * SHIFTS }, (_, nth) => {
    return [at(nth % SHIFTS), at(DAYS - Math.floor(nth / SHIFTS))];
  });
}

function enter(row: Row, { answered, refused, seconds, p50Ms, p99Ms }: ReadResult): void {
  (row.perSecond ??= []).push(answered / seconds);
  (row.p50Ms ??= []).push(p50Ms);
  (row.p99Ms ??= []).push(p99Ms);
  if (refused > 0) row.note = `${refused} refused`;
  else if (row.what.startsWith("Read API"))
    row.note = `p99 at most ${limitOf(row)} ms: ${keeps(row) ? "kept" : "missed"}`;
}

function limitOf({ what }: Row): number {
  return what.endsWith("not cached") ? 50 : 5;
}

function keeps(row: Row): boolean {
  return median(row.p99Ms ?? []) < limitOf(row);
}
