import type { EtlCheck } from "../../core/contracts/etl.ts";
import { AppError, isTransient } from "../../core/errors.ts";
import { addChecks, hasFailedBuild } from "../../core/etl-check.ts";
import { describeError } from "../../platform/describe-error.ts";
import { toAppError } from "../../platform/postgres/errors.ts";

const MAX_REASON = 300;

/** Builds something that has a name. Answers whether it could be built. */
export type Attempt = (what: string, build: () => Promise<void>) => Promise<boolean>;

export const insist: Attempt = async (_, build) => {
  await build();
  return true;
};

/**
 * A build that fails by itself is told of with its reason, and the others go on: trying again would change nothing. While the database
 * is away that is thrown, for all of them wait for it.
 */
export function createAttempts(): { attempt: Attempt; checks(): EtlCheck[] } {
  let checks: EtlCheck[] = [];
  const add = (details: string[]) => {
    const failed = details.length;
    const check = {
      check: "aggregates",
      state: failed > 0 ? "failed" : "passed",
      partitions: 1,
      failed,
      details,
    } as const;
    checks = addChecks(checks, [check]);
  };
  return {
    async attempt(what, build) {
      try {
        await build();
        add([]);
        return true;
      } catch (error) {
        if (isTransient(toAppError(error))) throw error;
        add([`${what}: ${reasonOf(error)}`]);
        return false;
      }
    },
    checks: () => checks,
  };
}

/** For whoever has no run to tell it. */
export function assertBuilt(checks: readonly EtlCheck[]): void {
  if (!hasFailedBuild(checks)) return;
  throw new AppError(
    "internal",
    checks.flatMap(({ check, details }) => (check === "aggregates" ? details : [])).join("; "),
  );
}

/** The innermost cause: what is round it is the statement, with its values. No paths of this machine. */
function reasonOf(error: unknown): string {
  let described = describeError(error);
  while (described.cause) described = described.cause;
  return described.message.replaceAll(/'?\/[^\s'"]*\//g, "…/").slice(0, MAX_REASON);
}
