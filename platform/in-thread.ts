import { Worker } from "node:worker_threads";

/**
 * Runs a module in a thread of its own, so that what takes a second of arithmetic holds up nobody else in the process. The
 * module finds `input` as its `workerData` and posts one answer. Throws what the module throws.
 */
export function runInThread<Output>(module: URL, input: unknown): Promise<Output> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(module, { workerData: input });
    thread.once("message", resolve);
    thread.once("error", reject);
    // After an answer this changes nothing.
    thread.once("exit", (code) => reject(new Error(`${module.pathname} ended with ${code} and without an answer`)));
  });
}
