import { textOf } from "../../../core/bounded.ts";
import type { FindGeo } from "./geo-database.ts";
import { OK, type Step } from "./step.ts";

/** IP → country and city: the address that the sender names (it may relay for a browser), else the caller's. */
export function createGeoStep(findGeo: FindGeo): Step {
  return {
    name: "geo",
    run(draft) {
      const ip = textOf(draft.event.context?.["ip"], 64) ?? draft.ip;
      draft.found.geo = ip === null ? null : findGeo(ip.replace(/^::ffff:(?=\d+\.)/i, ""));
      return OK;
    },
  };
}
