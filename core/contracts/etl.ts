import type { CheckName } from "../etl-check.ts";

/** Brings a client's curated lake and aggregates up to date: only what has changed since the last time. */
export const ETL_WORKFLOW = "etl";
export const ETL_TASK_QUEUE = "etl";
export const ETL_SIGNALS = { pause: "pause", resume: "resume", cancel: "cancel" } as const;
export type EtlSignal = keyof typeof ETL_SIGNALS;
/** Query: how far it has come. */
export const ETL_PROGRESS_QUERY = "progress";

export type EtlRunState = "running" | "paused" | "done" | "failed" | "cancelled";

interface Count {
  done: number;
  total: number;
}

export interface EtlProgress {
  /** Hours of the lake: those that are not up to date. */
  partitions: Count;
  /** Days of aggregates. */
  days: Count;
}

export const NO_PROGRESS: EtlProgress = { partitions: { done: 0, total: 0 }, days: { done: 0, total: 0 } };

/** What the query answers, and the end of a run. */
export interface EtlRunProgress {
  state: EtlRunState;
  progress: EtlProgress;
  checks: EtlCheck[];
}

/** What a check has found in all hours that a run has built. */
export interface EtlCheck {
  check: CheckName;
  state: "passed" | "failed";
  /** How many hours it looked into, and in how many it failed. */
  partitions: number;
  failed: number;
  /** Of those that failed the first few, for people. */
  details: string[];
}

export interface EtlInput {
  client_id: string;
  /** Of the row in `etl_runs`; a Schedule's runs make their own. */
  run_id?: string;
  /** Hours and days from this moment up to that one, ISO 8601 UTC; all where left out. */
  start?: string;
  end?: string;
  /** Also what is up to date. */
  rebuild?: boolean;
  /** First of all whether the files that hours were built from, and those that were built, are still there and whole; nightly. */
  verify?: boolean;
  /** Set by continue-as-new. */
  resume?: EtlResume;
}

export interface EtlResume {
  step: EtlStep;
  /** The partition or day up to which the step has come. */
  after?: string;
  progress: EtlProgress;
  checks: EtlCheck[];
  is_paused: boolean;
}

/** In order. `verify`: whether what was built is still what it was; `ids`: what the raw hours hold; `curate`: their files; `days`: the aggregates. */
export type EtlStep = "verify" | "ids" | "curate" | "days";

export interface EtlScope {
  client_id: string;
  run_id: string;
  start?: string;
  end?: string;
  rebuild?: boolean;
}

/** `after`: what to ask for the next page with; null where there is no more. */
export interface EtlPage {
  done: number;
  after: string | null;
  checks: EtlCheck[];
}

export type EtlPageInput = EtlScope & { after?: string };

/** All may be repeated: what is done stands in the book. No two of one client's work at the same time. */
export interface EtlActivities {
  /** Enters the run, and answers how many hours are not up to date. */
  beginRun(input: EtlScope & { workflow_id: string }): Promise<number>;
  /** Whether files of hours that are built are gone or broken. */
  verifyHours(input: EtlPageInput): Promise<EtlPage>;
  /** Reads which events lie in the hours whose raw files have changed. */
  stageIds(input: EtlPageInput): Promise<EtlPage>;
  /** Which events lie in several hours, and which hour keeps each. Answers how many hours are to be built. */
  settleRepeats(input: EtlScope): Promise<number>;
  /** Writes the curated files of the hours that are not up to date. */
  curatePartitions(input: EtlPageInput): Promise<EtlPage>;
  /** Whose each device is. Answers how many days are to be computed. */
  settleLinks(input: EtlScope): Promise<number>;
  aggregateDays(input: EtlPageInput): Promise<EtlPage>;
  /** Those that are not of days, and the end. Answers which of them could not be built. `is_partial`: some days could not. */
  publish(input: EtlScope & { is_partial?: boolean }): Promise<EtlCheck[]>;
  endRun(input: EtlScope & EtlEnd): Promise<void>;
}

export interface EtlEnd {
  state: EtlRunState;
  progress: EtlProgress;
  checks: EtlCheck[];
}

/** An id names one run, however often it is asked for. */
export function etlWorkflowId(clientId: string, runId: string): string {
  return `etl:${clientId}:${runId}`;
}

/** Each hour what is new; each night also whether what is there is still whole. */
export type EtlRhythm = "hourly" | "nightly";

export function etlScheduleId(clientId: string, rhythm: EtlRhythm = "hourly"): string {
  return rhythm === "hourly" ? `etl:${clientId}` : `etl-nightly:${clientId}`;
}
