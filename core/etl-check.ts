import type { EtlCheck } from "./contracts/etl.ts";

/** What is looked into before a curated hour counts; of a whole run `freshness`, and whether its `aggregates` could be built. */
export type CheckName =
  | "readable"
  | "completeness"
  | "uniqueness"
  | "ranges"
  | "references"
  | "money"
  | "freshness"
  | "aggregates";

/** What a check found in one hour. Only those that fail and `holds` keep the hour from being replaced. */
export interface PartitionCheck {
  check: CheckName;
  ok: boolean;
  holds: boolean;
  /** How many rows it is about. */
  rows: number;
  /** For people. */
  detail: string;
  /** Somebody has said that the hour is to count all the same; stands until the check finds something else. */
  is_accepted?: boolean;
}

/** Whether the hour has to wait until something is mended. */
export function isHeld(checks: readonly PartitionCheck[]): boolean {
  return checks.some((check) => !check.ok && check.holds);
}

/** What was accepted before, with the same words, is accepted still. */
export function keepAccepted(checks: readonly PartitionCheck[], before: readonly PartitionCheck[]): PartitionCheck[] {
  const accepted = before.filter((check) => check.is_accepted === true);
  return checks.map((check) =>
    accepted.some((one) => one.check === check.check && one.detail === check.detail) ? accept(check) : check,
  );
}

/** It is failed as before, and holds nothing back. */
export function accept(check: PartitionCheck): PartitionCheck {
  return check.ok ? check : { ...check, holds: false, is_accepted: true };
}

/** Failures that are told of one by one; all of them are counted. */
const MAX_DETAILS = 20;

/** The checks of one hour, as one entry for each kind. */
export function summariseChecks(partition: string, checks: readonly PartitionCheck[]): EtlCheck[] {
  return [...new Set(checks.map(({ check }) => check))].map((check) => {
    const failed = checks.filter((one) => one.check === check && !one.ok);
    return {
      check,
      state: failed.length > 0 ? ("failed" as const) : ("passed" as const),
      partitions: 1,
      failed: failed.length > 0 ? 1 : 0,
      details: failed.map((one) => `${partition}: ${one.detail}${one.holds ? "; held back" : ""}`),
    };
  });
}

export function addChecks(a: readonly EtlCheck[], b: readonly EtlCheck[]): EtlCheck[] {
  const sum = new Map(a.map((one) => [one.check, one]));
  for (const one of b) {
    const before = sum.get(one.check);
    if (before === undefined) sum.set(one.check, one);
    else {
      const failed = before.failed + one.failed;
      sum.set(one.check, {
        check: one.check,
        state: failed > 0 ? "failed" : "passed",
        partitions: before.partitions + one.partitions,
        failed,
        details: [...before.details, ...one.details].slice(0, MAX_DETAILS),
      });
    }
  }
  return [...sum.values()];
}

/** An aggregate could not be built, and what it said before stands. */
export function hasFailedBuild(checks: readonly EtlCheck[]): boolean {
  return checks.some(({ check, state }) => check === "aggregates" && state === "failed");
}
