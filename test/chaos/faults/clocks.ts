import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ServiceName } from "../../../infra/local/services.ts";
import { findFaketime } from "../machine.ts";
import type { Scenario } from "../scenario.ts";

const WRONG_MS = 10_000;

/** Offsets as libfaketime takes them. Of Node's clocks only that of the wall is wrong: the other one cannot jump. */
const OFFSETS = { "an hour ahead": "+1h", "an hour behind": "-1h", "a year ahead": "+1y", "a year behind": "-1y" };

export const clocks: Scenario[] = (["analytics", "workers"] as const).flatMap((service) =>
  Object.entries(OFFSETS).map(([words, offset]) => wrongClock(service, words, offset)),
);

function wrongClock(service: ServiceName, words: string, offset: string): Scenario {
  return {
    name: `clock-${service}${offset}`,
    fault: `the clock of ${service} jumps, ${words}, and back`,
    invariant: "no message early or twice; all is well once the clock is",
    needs: ["libfaketime"],
    async run(scene) {
      const { stack } = scene;
      const file = join(stack.dir, `${service}.clock`);
      setClock(file, "+0");
      await stack.restart(service, {
        LD_PRELOAD: findFaketime() ?? "",
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_CACHE_DURATION: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
        FAKETIME_NO_CACHE: "0",
      });
      void scene.letIn(6);
      await sleep(1_000);
      setClock(file, offset);
      await sleep(2_000);
      void scene.letIn(6);
      await sleep(WRONG_MS);
      setClock(file, "+0");
      await scene.recover(Date.now());
    },
  };
}

/** In one step: half an offset would be read as none. */
function setClock(file: string, offset: string): void {
  writeFileSync(`${file}.new`, `${offset}\n`);
  renameSync(`${file}.new`, file);
}
