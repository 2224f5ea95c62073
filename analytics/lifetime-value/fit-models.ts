import type { Customer, CustomerModels } from "../../core/lifetime-value/model-customers.ts";
import { runInThread } from "../../platform/in-thread.ts";

/** Both models of these customers, worked out beside everything else that the process does. */
export function fitModels(customers: readonly Customer[]): Promise<CustomerModels> {
  return runInThread(new URL("./model-thread.ts", import.meta.url), customers);
}
