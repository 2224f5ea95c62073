import { makeShopLake, type ShopLake } from "../analytics/shop-lake.ts";
import { startChild } from "../child.ts";
import type { Bench, Row, Scenario } from "../scenario.ts";
import type { EtlOptions, EtlResult } from "../servers/etl.ts";

const EVENTS = 10_000_000;
const QUICK_EVENTS = 1_000_000;
const DAYS = 30;

/** (f) A first night: everything from the raw lake to the last aggregate, in one process. */
export const etl: Scenario = {
  name: "etl",
  async run(bench) {
    const raw = await findShopLake(bench);
    const result = await runShopEtl(bench, raw);
    const steps = Object.entries(result.steps).map(([step, seconds]) => `${step} ${seconds.toFixed(1)}`);
    const row: Row = {
      part: "f",
      what: "ETL, all steps from nothing",
      load: `${raw.events.toLocaleString("en")} events of ${DAYS} days`,
      perSecond: [result.curated / result.seconds],
      cpuMicros: [result.cpuMicros / result.curated],
      memoryMb: [result.residentMb],
      note: `${result.seconds.toFixed(1)} s: ${steps.join(", ")}`,
    };
    const { seconds, people, entered } = result.backtest;
    const backtest: Row = {
      part: "f",
      what: "back-test of the cart campaign, a week",
      load: `${people.toLocaleString("en")} people who left a cart, ${entered.toLocaleString("en")} who would have entered`,
      perSecond: [people / seconds],
      note: `${seconds.toFixed(1)} s, of people`,
    };
    return [row, backtest];
  },
};

export function findShopLake({ events, isQuick, report }: Bench): Promise<ShopLake> {
  return makeShopLake(events ?? (isQuick ? QUICK_EVENTS : EVENTS), DAYS, report);
}

export async function runShopEtl(bench: Bench, raw: ShopLake): Promise<EtlResult> {
  const options: EtlOptions = { config: bench.stack.config, raw };
  const { child } = await startChild<null, "run", EtlResult>("servers/etl.ts", options);
  try {
    return await child.ask("run");
  } finally {
    await child.stop();
  }
}
