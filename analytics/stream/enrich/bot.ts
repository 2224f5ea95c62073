import { isbot } from "isbot";

import { LruMap } from "../../../core/lru.ts";
import { OK, type Step } from "./step.ts";
import { userAgentOf } from "./user-agent.ts";

const CACHED_AGENTS = 10_000;

/** Flags crawlers and monitors. They are kept: whoever counts people leaves them out. */
export function createBotStep(): Step {
  const known = new LruMap<string, boolean>(CACHED_AGENTS);
  return {
    name: "bot",
    run(draft) {
      const agent = userAgentOf(draft.event);
      if (agent === null) return OK;
      let isBot = known.get(agent);
      if (isBot === undefined) known.set(agent, (isBot = isbot(agent)));
      if (!isBot) return OK;
      draft.found.is_bot = true;
      draft.found.ua = { browser: null, os: null, ...draft.found.ua, device: "bot" };
      return OK;
    },
  };
}
