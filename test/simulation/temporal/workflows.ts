import { registerHooks } from "node:module";

import type { Workflows } from "./runtime.ts";

const STAND_IN = new URL("./workflow.ts", import.meta.url).href;
const WORKFLOWS = new URL("../../../workflows/", import.meta.url).href;

/**
 * The journeys' worker's own workflows, on the stand-in for `@temporalio/workflow`. Vitest reads source by itself and
 * knows no hooks: a test says `vi.mock("@temporalio/workflow", …)`.
 */
export function loadWorkflows(): Promise<Workflows> {
  return (loaded ??= load());
}

let loaded: Promise<Workflows> | null = null;

async function load(): Promise<Workflows> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "@temporalio/workflow" && context.parentURL?.startsWith(WORKFLOWS)
        ? { url: STAND_IN, format: "module-typescript", shortCircuit: true }
        : next(specifier, context),
  });
  try {
    return await import("../../../workflows/journeys.ts");
  } finally {
    hooks.deregister();
  }
}
