import { expect, it, vi } from "vitest";

import { runSeeds } from "./index.ts";
import { runSeed } from "./run.ts";

vi.mock("@temporalio/workflow", () => import("./temporal/workflow.ts"));

/** Each is a day at a small shop on which something goes wrong; the nightly run takes 50,000: see docs/simulation.md. */
const SEEDS = 250;
/** On a machine with much else to do. */
const PATIENCE_MS = 600_000;

it(
  "comes to rest with every promise kept, whatever goes wrong",
  async () => {
    const { failed, count } = await runSeeds({ from: 1, count: SEEDS });
    expect(
      failed.map(({ repeat, violations }) => `${repeat}: ${violations[0]?.invariant}: ${violations[0]?.detail}`),
    ).toEqual([]);
    expect(count).toBe(SEEDS);
  },
  PATIENCE_MS,
);

it(
  "is the same each time: a seed is all that it takes to see a failure again",
  async () => {
    const first = await runSeed(7);
    await runSeed(8);
    expect((await runSeed(7)).fingerprint).toBe(first.fingerprint);
  },
  PATIENCE_MS,
);
