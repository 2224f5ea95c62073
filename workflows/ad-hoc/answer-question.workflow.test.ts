import { ApplicationFailure } from "@temporalio/common";
import { beforeEach, describe, expect, it } from "vitest";

import {
  AD_HOC_TASK_QUEUE,
  AD_HOC_WORKFLOW,
  type AdHocActivities,
  type AdHocInput,
} from "../../core/contracts/ad-hoc.ts";
import { recordHistory } from "../../test/support/history.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

const QUESTION: AdHocInput = {
  client_id: "demo",
  question_id: "7d7e7c1e-7b2f-5d0e-8a60-0a2e0e0f8a11",
  kind: "ltv_model",
  params: { observed_until: "1997-09-30" },
  data_version: "1",
};
/** How often it was worked at, how often a store is away, and what was kept. */
let attempts: number;
let failures: number;
let refusal: string | undefined;
let faults: string[];

const activities: AdHocActivities = {
  answerQuestion() {
    attempts++;
    if (refusal !== undefined) return Promise.reject(ApplicationFailure.nonRetryable(refusal));
    if (failures-- > 0) return Promise.reject(new Error("PostgreSQL is away"));
    return Promise.resolve("done");
  },
  giveUp: ({ fault }) => Promise.resolve(void faults.push(fault)),
};

const worker = useWorker({ taskQueue: AD_HOC_TASK_QUEUE, workflows: "ad-hoc.ts", activities });
beforeEach(() => {
  [attempts, failures, refusal, faults] = [0, 0, undefined, []];
});

describe("answerQuestion", () => {
  it("is answered by one attempt where all is well", async () => {
    const handle = await worker.start(AD_HOC_WORKFLOW, QUESTION);
    expect(await handle.result()).toBe("done");
    await recordHistory("ad-hoc-answered", handle);
    expect([attempts, faults]).toEqual([1, []]);
  });

  it("tries again while a store is away, and says so when it stays away", async () => {
    failures = 5;
    expect(await (await worker.start(AD_HOC_WORKFLOW, QUESTION)).result()).toBe("done");
    expect([attempts, faults]).toEqual([6, []]);
    failures = 6;
    const handle = await worker.start(AD_HOC_WORKFLOW, QUESTION);
    expect(await handle.result()).toBe("failed");
    await recordHistory("ad-hoc-given-up", handle);
    expect(faults).toEqual(["PostgreSQL is away"]);
  });

  it("does not ask again what was refused", async () => {
    refusal = "nobody answers such a question";
    expect(await (await worker.start(AD_HOC_WORKFLOW, QUESTION)).result()).toBe("failed");
    expect([attempts, faults]).toEqual([1, [refusal]]);
  });
});
