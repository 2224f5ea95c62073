import { parseArgs } from "node:util";

import { describeFault } from "./faults.ts";
import { runSeeds } from "./index.ts";
import { runSeed } from "./run.ts";
import { drawScenario } from "./scenario.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" }, drop: { type: "string" } },
});

if (values.seed === undefined) {
  const count = Number(values.seeds ?? 1_000);
  const report = await runSeeds({
    from: Number(values.from ?? 1),
    count,
    onSeed: (result) => {
      if (result.violations.length > 0)
        console.log(
          `seed ${result.seed}:\n${result.violations.map((v) => `  ${v.invariant}: ${v.detail}`).join("\n")}`,
        );
    },
  });
  console.log(
    `${report.count} seeds, ${report.failed.length} failed, ${(report.tookMs / report.count).toFixed(0)} ms each, slowest ${report.slowestMs.toFixed(0)} ms`,
  );
} else {
  const drop = new Set((values.drop ?? "").split(",").filter(Boolean));
  const seed = Number(values.seed);
  const scenario = drawScenario(seed, drop);
  for (const visitor of scenario.visitors)
    console.log(visitor.id, visitor.client, visitor.acts.map((act) => `${act.id}:${act.kind}`).join(" "));
  for (const fault of scenario.faults) console.log(describeFault(fault));
  const result = await runSeed(seed, { drop, tell: (line) => console.log(line) });
  for (const { invariant, detail } of result.violations) console.log(`${invariant}: ${detail}`);
  console.log(
    `${result.steps} steps, ${result.virtualMs} ms of virtual time, ${result.tookMs.toFixed(0)} ms, fingerprint ${result.fingerprint}`,
  );
}
process.exit(0);
