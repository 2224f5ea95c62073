import { inject } from "vitest";

import type { Config } from "../../platform/config.ts";

/** Where the embedded stack is for this test file: no other that runs at the same time has the same. */
export function stackConfig(): Config {
  const place = Number(process.env["VITEST_POOL_ID"]) - 1;
  const config = inject("configs")[place];
  if (config === undefined) throw new Error(`vitest's worker ${place + 1} has no part of the stack`);
  return config;
}
