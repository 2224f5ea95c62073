import { Context as ActivityContext } from "@temporalio/activity";

import { type AnswererDeps, answererOf } from "../analytics/ad-hoc/answerers.ts";
import { keepAnswer, openAnswer, reportProgress } from "../analytics/ad-hoc/keep-answer.ts";
import type { AdHocActivities, AdHocInput } from "../core/contracts/ad-hoc.ts";
import { isAppError } from "../core/errors.ts";
import type { Warehouse } from "../platform/warehouse/duckdb.ts";

const HEARTBEAT_MS = 5_000;

export type AdHocActivityDeps = Pick<AnswererDeps, "ctx" | "lake"> & {
  /** One for each question: between them its memory is free. */
  openWarehouse(): Warehouse;
};

export function createAdHocActivities({ ctx, lake, openWarehouse }: AdHocActivityDeps): AdHocActivities {
  return {
    async answerQuestion(input) {
      const warehouse = openWarehouse();
      const timer = setInterval(() => ActivityContext.current().heartbeat(), HEARTBEAT_MS);
      try {
        await openAnswer(ctx.db, input);
        const answer = await answererOf(input.kind)({ ctx, lake, warehouse, report: reporter(ctx, input) }, input);
        await keepAnswer(ctx.db, input, { state: "done", answer });
        return "done";
      } catch (error) {
        if (!isAppError(error, "invalid") && !isAppError(error, "not_found")) throw error;
        const reasons = error.faults.map(({ path, reason }) => `${path} ${reason}`);
        await keepAnswer(ctx.db, input, { state: "failed", fault: [error.message, ...reasons].join(" ") });
        return "failed";
      } finally {
        clearInterval(timer);
        await warehouse.close();
      }
    },
    async giveUp({ fault, ...input }) {
      await openAnswer(ctx.db, input);
      await keepAnswer(ctx.db, input, { state: "failed", fault });
    },
  };
}

/** Progress is for people: that it could not be written is no reason to stop. */
function reporter(ctx: AnswererDeps["ctx"], input: AdHocInput): (share: number) => void {
  return (share) =>
    void reportProgress(ctx.db, input, share).catch((error: unknown) =>
      ctx.log.debug({ question_id: input.question_id, err: (error as Error).message }, "progress not written"),
    );
}
