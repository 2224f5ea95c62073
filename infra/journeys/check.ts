import { existsSync, readFileSync } from "node:fs";

import { compileCampaign } from "../../core/campaign.ts";
import { AppError, type Fault, isAppError } from "../../core/errors.ts";
import { rehearse } from "../../core/journey/test-kit.ts";
import { parse } from "../../core/parse.ts";
import { playScenario, scenariosSchema } from "./scenario.ts";

export interface CheckedFile {
  file: string;
  /** As it was read; undefined where it is no JSON. */
  source?: Record<string, unknown>;
  campaign_id?: string;
  hash?: string;
  faults: Fault[];
  warnings: Fault[];
  tests: { name: string; failure: string | null }[];
}

/** Reads a campaign's file and plays the tests that lie beside it. What is wrong is in the answer. */
export function checkFile(file: string): CheckedFile {
  const checked: CheckedFile = { file, faults: [], warnings: [], tests: [] };
  try {
    const source = readJson(file) as Record<string, unknown>;
    const compiled = compileCampaign(source);
    if (!compiled.ok) return { ...checked, source, faults: compiled.faults };
    const { campaign, hash, warnings } = compiled;
    return { ...checked, source, campaign_id: campaign.campaign_id, hash, warnings, tests: playTests(file, source) };
  } catch (error) {
    if (!isAppError(error, "invalid")) throw error;
    const faults = error.faults.length > 0 ? [...error.faults] : [{ path: "", reason: error.message }];
    return { ...checked, faults };
  }
}

export function isSound({ faults, tests }: CheckedFile): boolean {
  return faults.length === 0 && tests.every(({ failure }) => failure === null);
}

function playTests(file: string, source: object): CheckedFile["tests"] {
  const beside = file.replace(/(\.json)?$/, ".tests.json");
  if (!existsSync(beside)) return [];
  const scenarios = parse(scenariosSchema, readJson(beside), beside);
  return scenarios.map((scenario) => {
    try {
      playScenario(rehearse(source), scenario);
      return { name: scenario.name, failure: null };
    } catch (error) {
      return { name: scenario.name, failure: (error as Error).message };
    }
  });
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new AppError("invalid", `cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid", `${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
}
