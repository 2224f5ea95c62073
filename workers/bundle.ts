import { fileURLToPath } from "node:url";

import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from "@temporalio/worker";

/**
 * Workflow code in one file, as Temporal's sandbox takes it. Schemas are made lazily in `core/`, so zod is left out.
 * `entry`: a file of `workflows/`.
 */
export function bundleWorkflows(entry: string): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(`../workflows/${entry}`, import.meta.url)),
    ignoreModules: ["zod"],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}
