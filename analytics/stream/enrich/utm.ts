import { utmOf } from "../../../core/utm.ts";
import { OK, type Step } from "./step.ts";

/** Where the visit came from, in one spelling. */
export function createUtmStep(): Step {
  return {
    name: "utm",
    run(draft) {
      draft.found.utm = utmOf(draft.event);
      return OK;
    },
  };
}
