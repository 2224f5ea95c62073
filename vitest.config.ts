import { defineConfig } from "vitest/config";

const embedded = { globalSetup: "test/support/embedded-stack.ts", testTimeout: 60_000, hookTimeout: 120_000 };

/** `npm test` runs all projects; `npx vitest --project unit` one. The name of a test file says which it belongs to. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["node_modules/**", "**/*.{workflow,replay,integration,e2e,crash,acceptance}.test.ts"],
        },
      },
      { test: { name: "workflow", include: ["**/*.workflow.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 } },
      { test: { name: "replay", include: ["**/*.replay.test.ts"], testTimeout: 120_000 } },
      { test: { name: "integration", include: ["**/*.integration.test.ts"], ...embedded } },
      {
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
