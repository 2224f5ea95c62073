import { existsSync } from "node:fs";
import { join } from "node:path";

import type { FunnelRange } from "../../analytics/reports/funnel-sql.ts";
import type { Funnel, FunnelUnit } from "../../core/funnel.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { type Chdb, startChdb } from "../analytics/chdb.ts";
import { theirSql } from "../analytics/their-sql.ts";
import { curatedFolder, SHOP_START } from "../analytics/shop-lake.ts";
import { startChild } from "../child.ts";
import type { Row, Scenario } from "../scenario.ts";
import type { FunnelOptions, FunnelQuestion, FunnelResult } from "../servers/funnel.ts";
import { median } from "../statistics.ts";
import { findShopLake, runShopEtl } from "./etl.ts";

const steps = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type, conditions: [] }));

interface Contest {
  funnel: Funnel;
  ours: Row;
  theirs: Row;
}

/** (f) Three steps in order within half an hour, asked of the curated lake, in turn with ClickHouse's engine on the same files. */
export const funnel: Scenario = {
  name: "funnel",
  async run(bench) {
    const raw = await findShopLake(bench);
    const folder = curatedFolder(raw);
    if (!existsSync(folder)) {
      bench.report("funnel: ETL makes the curated lake, once");
      await runShopEtl(bench, raw);
    }
    const range = { start: SHOP_START, end: SHOP_START + raw.days * DAY_MS };
    const options: FunnelOptions = { files: join(folder, "events-*.parquet"), links: join(folder, "links.parquet") };
    const { child } = await startChild<null, FunnelQuestion, FunnelResult>("servers/funnel.ts", options);
    const chdb = await startChdb(bench.report);
    try {
      const contests = (["session", "user"] as const).map((unit) => contestOf(unit, raw.events, chdb.version));
      for (let round = 0; round <= bench.rounds; round++) {
        for (const contest of contests) {
          const ours = await child.ask({ funnel: contest.funnel, range });
          const theirs = await askChdb(chdb, contest.funnel, range, options);
          if (round === 0) compare(contest, ours.steps, theirs.steps);
          else for (const name of ["ours", "theirs"] as const) enter(contest[name], { ours, theirs }[name], raw.events);
        }
        bench.report(`funnel: round ${round} of ${bench.rounds}`);
      }
      return contests.flatMap(({ ours, theirs }) => {
        const ratio = median(ours.p50Ms!) / median(theirs.p50Ms!);
        ours.note = `${ratio.toFixed(2)} times chdb's time; ${ours.note}`;
        return [ours, theirs];
      });
    } finally {
      await chdb.stop();
      await child.stop();
    }
  },
};

function contestOf(unit: FunnelUnit, events: number, version: string): Contest {
  const load = `${events.toLocaleString("en")} events, by ${unit}`;
  return {
    funnel: { unit, window_ms: 30 * MINUTE_MS, steps },
    ours: { part: "f", what: "funnel of three steps", load },
    theirs: { part: "f", what: `the same, chdb ${version}`, load },
  };
}

async function askChdb(chdb: Chdb, asked: Funnel, range: FunnelRange, files: FunnelOptions): Promise<FunnelResult> {
  const { rows, seconds, cpu, memory } = await chdb.ask(theirSql(asked, range, files));
  return { steps: rows[0]!.map(Number), seconds, cpuMicros: cpu * 1e6, residentMb: memory };
}

/** They may differ by units with two events in one millisecond: see `theirSql`. */
function compare({ ours }: Contest, mine: readonly number[], theirs: readonly number[]): void {
  const isFar = mine.some((count, nth) => Math.abs(count - theirs[nth]!) > Math.max(2, count / 100_000));
  if (isFar) throw new Error(`funnel: we count ${mine.join(", ")}, chdb ${theirs.join(", ")}`);
  const isSame = mine.every((count, nth) => count === theirs[nth]);
  ours.note = isSame ? `both count ${mine.join(" → ")}` : `we count ${mine.join(" → ")}, chdb ${theirs.join(" → ")}`;
}

function enter(row: Row, result: FunnelResult, events: number): void {
  (row.p50Ms ??= []).push(result.seconds * 1000);
  (row.perSecond ??= []).push(events / result.seconds);
  (row.cpuMicros ??= []).push(result.cpuMicros / events);
  (row.memoryMb ??= []).push(result.residentMb);
}
