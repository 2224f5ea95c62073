import { parentPort, workerData } from "node:worker_threads";

import { type Customer, modelCustomers } from "../../core/lifetime-value/model-customers.ts";

/** A thread for the arithmetic: see `runInThread`. */
parentPort?.postMessage(modelCustomers(workerData as Customer[]), []);
