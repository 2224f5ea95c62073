import { beforeAll, expect, it } from "vitest";

import { sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import { announceSeed } from "../support/oracle-random.ts";
import { runApart } from "./run-apart.ts";
import { SCENARIOS } from "./scenarios.ts";
import { verdictOf } from "./table.ts";

const seed = announceSeed("chaos");

beforeAll(sweepTemporaryFolders);

/** The most telling ones, once each; `npm run test:chaos` plays them all. */
it.for(SCENARIOS.filter((scenario) => scenario.isShort).map((scenario) => [scenario.name, scenario] as const))(
  "%s",
  async ([, scenario]) => {
    const report = await runApart(scenario, { runs: 1, seed, isLong: false });
    console.log(`${scenario.name}: ${verdictOf(report)} after ${report.tookMs} ms; ${report.notes.join("; ")}`);
    expect({ findings: report.findings, verdict: verdictOf(report) }).toEqual({ findings: [], verdict: "holds" });
  },
);
