import { join } from "node:path";
import { pathToFileURL } from "node:url";

import {
  createVitest,
  type SerializedError,
  type TestCase,
  type TestModule,
  type TestSpecification,
  type Vitest,
} from "vitest/node";

import type { Catcher, PlantedBug } from "./bug.ts";
import { type PlantedApi, PLUGIN_NAME } from "./plugin.ts";

const ROOT = join(import.meta.dirname, "../..");
const REGISTER = `--import=${pathToFileURL(join(import.meta.dirname, "register.ts")).href}`;

export interface TestOutcome {
  file: string;
  test: string;
  state: "passed" | "failed";
  /** From the start of its file, imports and set-up included. */
  seconds: number;
  /** First line of what it says. */
  complaint: string;
}

export interface RunOutcome {
  tests: TestOutcome[];
  /** What went wrong outside of any test. */
  troubles: string[];
  /** Whether the bug was in what the tests imported. */
  wasPlanted: boolean;
}

/** The repository's own vitest, kept for run after run; the tests themselves get a process of their own each time. */
export async function openSuite(files: readonly string[]) {
  const projects = [...new Set(files.map(projectOf))];
  process.env.LIVORA_PLANTED_BUG = "";
  const options = { root: ROOT, config: join(ROOT, "vitest.config.ts"), watch: false, project: projects };
  const vitest = await createVitest({ ...options, reporters: [{}] });
  await vitest.standalone();

  return {
    async run(catchers: readonly Catcher[], bug: PlantedBug | null): Promise<RunOutcome> {
      const api = apiOf(vitest, projects);
      for (const each of api) each.planted.clear();
      const environment = { ...process.env };
      try {
        if (bug) putIn(vitest, bug);
        const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specificationsOf(vitest, catchers));
        const troubles = [...testModules.flatMap((module) => module.errors()), ...unhandledErrors];
        return {
          tests: testModules.flatMap(outcomesOf),
          troubles: troubles.map((error) => firstLine((error as Error).message)),
          wasPlanted: bug !== null && api.some((each) => each.planted.has(bug.name)),
        };
      } finally {
        process.env = environment;
        if (bug) vitest.invalidateFile(join(ROOT, bug.file));
      }
    },
    close: () => vitest.close(),
  };
}

export type Suite = Awaited<ReturnType<typeof openSuite>>;

function putIn(vitest: Vitest, bug: PlantedBug): void {
  process.env.LIVORA_PLANTED_BUG = bug.name;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} ${REGISTER}`.trim();
  vitest.invalidateFile(join(ROOT, bug.file));
}

/** `core/x.integration.test.ts` belongs to "integration"; crash and acceptance tests to "e2e". */
function projectOf(file: string): string {
  const [, kind] = /\.(workflow|replay|integration|e2e|crash|acceptance)\.test\.ts$/.exec(file) ?? [];
  if (kind === undefined) return "unit";
  return kind === "crash" || kind === "acceptance" ? "e2e" : kind;
}

export function needsStack(file: string): boolean {
  return projectOf(file) === "integration";
}

function apiOf(vitest: Vitest, projects: readonly string[]): PlantedApi[] {
  return projects.map((name) => {
    const { plugins } = vitest.getProjectByName(name).vite.config;
    const api = plugins.find((plugin) => plugin.name === PLUGIN_NAME)?.api as PlantedApi | undefined;
    if (!api) throw new Error(`the project "${name}" of vitest.config.ts has no plugin ${PLUGIN_NAME}`);
    return api;
  });
}

function specificationsOf(vitest: Vitest, catchers: readonly Catcher[]): TestSpecification[] {
  const byFile = Map.groupBy(catchers, (catcher) => catcher.file);
  return [...byFile].map(([file, some]) => {
    const names = [...new Set(some.map(({ test }) => patternOf(test)))];
    const project = vitest.getProjectByName(projectOf(file));
    return project.createSpecification(join(ROOT, file), { testNamePattern: new RegExp(`^(?:${names.join("|")})$`) });
  });
}

/** Vitest shows `suite > test`, and looks for `suite test`. */
function patternOf(test: string): string {
  return test
    .split(" > ")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("(?: >)? ");
}

function outcomesOf(module: TestModule): TestOutcome[] {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration } = module.diagnostic();
  const beforeMs = environmentSetupDuration + prepareDuration + collectDuration + setupDuration;
  let elapsedMs = beforeMs;
  const outcomes: TestOutcome[] = [];
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state !== "passed" && state !== "failed") continue;
    elapsedMs += test.diagnostic()?.duration ?? 0;
    outcomes.push({
      file: module.relativeModuleId,
      test: test.fullName,
      state,
      seconds: elapsedMs / 1000,
      complaint: complaintOf(test),
    });
  }
  return outcomes;
}

function complaintOf(test: TestCase): string {
  let [error] = test.result().errors ?? [];
  // Of a property that failed, what it failed on.
  if (isError(error?.cause)) error = error.cause;
  return error ? `${error.name ?? "Error"}: ${firstLine(error.message)}` : "";
}

function isError(cause: unknown): cause is SerializedError {
  return typeof cause === "object" && cause !== null && "message" in cause;
}

function firstLine(text = ""): string {
  return text.split("\n", 1)[0] ?? "";
}
