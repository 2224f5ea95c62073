import { proxyActivities, sleep } from "@temporalio/workflow";

const { done } = proxyActivities<{ done(): Promise<void> }>({ startToCloseTimeout: "10 s" });

/** The two lines that any workflow which waits and then does something has. */
export async function bare(): Promise<void> {
  await sleep(1);
  await done();
}
