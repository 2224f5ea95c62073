import { rmSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";

import { startBackingStack } from "../infra/local/backing-stack.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../infra/local/temporary-folder.ts";
import type { Bench, Row, Scenario } from "./scenario.ts";
import { audit } from "./scenarios/audit.ts";
import { edgeCost } from "./scenarios/edge-cost.ts";
import { edgeOpenLoop } from "./scenarios/edge-open-loop.ts";
import { edgeThroughput } from "./scenarios/edge-throughput.ts";
import { etl } from "./scenarios/etl.ts";
import { enrichment } from "./scenarios/enrichment.ts";
import { eventToMessage } from "./scenarios/event-to-message.ts";
import { funnel } from "./scenarios/funnel.ts";
import { journeys } from "./scenarios/journeys.ts";
import { lakeWriter } from "./scenarios/lake-writer.ts";
import { readApi } from "./scenarios/read-api.ts";
import { replay } from "./scenarios/replay.ts";
import { formatTable } from "./table.ts";

/** A new row is a new file in `scenarios/` and a line here. */
const SCENARIOS: readonly Scenario[] = [
  edgeThroughput,
  edgeOpenLoop,
  edgeCost,
  enrichment,
  lakeWriter,
  eventToMessage,
  journeys,
  audit,
  replay,
  readApi,
  etl,
  funnel,
];

const HELP = `npm run bench -- [--quick] [--only NAME[,NAME]] [--rounds N] [--seconds N] [--events N]

Measures on an embedded stack of its own and prints one table: medians of the rounds, with minimum and maximum.
  --quick   fewer and shorter rounds, 5 s of open loop instead of 60
  --events  how many the lake has that ETL and funnels are measured on: 10 million, --quick 1 million; made once, into the cache
  --only    ${SCENARIOS.map(({ name }) => name).join(", ")}
`;

const say = (text: string) => void process.stdout.write(`${text}\n`);
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    events: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) say(HELP);
else await main();

async function main(): Promise<void> {
  const wanted = options.only?.split(",");
  const chosen = SCENARIOS.filter(({ name }) => wanted?.includes(name) ?? true);
  await sweepTemporaryFolders();
  const folder = makeTemporaryFolder();
  const stack = await startBackingStack(folder, say);
  const bench: Bench = {
    stack,
    isQuick: options.quick,
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    seconds: Number(options.seconds ?? (options.quick ? 2 : 5)),
    events: options.events === undefined ? undefined : Number(options.events),
    report: say,
  };
  try {
    const rows: Row[] = [];
    for (const scenario of chosen) rows.push(...(await scenario.run(bench)));
    say(`\n${describeMachine()}\n\n${formatTable(rows)}`);
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeMachine(): string {
  const [cpu] = cpus();
  const load = loadavg().map((value) => value.toFixed(1));
  return `${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}, load average ${load.join(" ")}`;
}
