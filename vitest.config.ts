import { defineConfig } from "vitest/config";

import { plantedBug } from "./test/planted-bugs/plugin.ts";

/** Nothing is measured by these: a machine that does other things, too, takes ten times as long, and fails nothing. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };
const embedded = {
  globalSetup: "test/support/embedded-stack.ts",
  // Else vite finds one copy of graphql for us and Node another for it, and neither knows the other's errors.
  server: { deps: { inline: ["graphql-http"] } },
  ...patient,
};

/** Does nothing, unless `LIVORA_PLANTED_BUG` names one. */
const plugins = [plantedBug(import.meta.dirname)];

/** `npm test` runs all projects; `npx vitest --project unit` one. The name of a test file says which it belongs to. */
export default defineConfig({
  test: {
    // Two files side by side, on whatever machine: each waits for half of its time. They share the embedded stack's servers
    // and nothing in them (`test/support/part-stack.ts`), as workers of the same task queue would take each other's work.
    maxWorkers: 2,
    // For the embedded stack, which is stopped at the end.
    teardownTimeout: 60_000,
    projects: [
      {
        plugins,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["node_modules/**", "**/*.{workflow,replay,integration,e2e,crash,acceptance}.test.ts"],
          ...patient,
        },
      },
      {
        plugins,
        test: { name: "workflow", include: ["**/*.workflow.test.ts"], ...patient },
      },
      { plugins, test: { name: "replay", include: ["**/*.replay.test.ts"], ...patient } },
      { plugins, test: { name: "integration", include: ["**/*.integration.test.ts"], ...embedded } },
      {
        plugins,
        test: {
          name: "e2e",
          include: ["test/**/*.{e2e,acceptance,crash}.test.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
