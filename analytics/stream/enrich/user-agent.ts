import { parse } from "bowser";

import { objectAt, textOf } from "../../../core/bounded.ts";
import type { Enrichment } from "../../../core/enriched-event.ts";
import type { Event } from "../../../core/event.ts";
import { LruMap } from "../../../core/lru.ts";
import { OK, type Step } from "./step.ts";

type UserAgent = NonNullable<Enrichment["ua"]>;
/** Parsing one takes longer than all other steps together, and there are few. */
const CACHED_AGENTS = 10_000;
const LONGEST_AGENT = 1024;
const DEVICES = new Set(["desktop", "mobile", "tablet", "tv", "bot"]);

/** Browser, system and kind of device, from `context.ua`. */
export function createUserAgentStep(): Step {
  const known = new LruMap<string, UserAgent>(CACHED_AGENTS);
  return {
    name: "user-agent",
    run(draft) {
      const text = userAgentOf(draft.event);
      if (text === null) return OK;
      let agent = known.get(text);
      if (!agent) known.set(text, (agent = parseUserAgent(text)));
      draft.found.ua = agent;
      return OK;
    },
  };
}

export function userAgentOf(event: Event): string | null {
  const { context } = event;
  return textOf(context?.["ua"] ?? context?.["user_agent"] ?? context?.["userAgent"], LONGEST_AGENT);
}

function parseUserAgent(text: string): UserAgent {
  const { browser, os, platform } = objectsOf(parse(text));
  const device = textOf(platform["type"], 16);
  return {
    browser: textOf(browser["name"], 64),
    os: textOf(os["name"], 64),
    device: device !== null && DEVICES.has(device) ? (device as UserAgent["device"]) : null,
  };
}

function objectsOf(parsed: unknown) {
  return { browser: objectAt(parsed, "browser"), os: objectAt(parsed, "os"), platform: objectAt(parsed, "platform") };
}
