import { allHold } from "../../../core/condition.ts";
import { journeyWorkflowId } from "../../../core/contracts/journey-id.ts";
import type { RunEvent } from "../../../core/contracts/journey.ts";
import type { EnrichedEvent } from "../../../core/enriched-event.ts";
import { DAY_MS, MINUTE_MS } from "../../../core/time.ts";
import { entryKeyOf, isEntry, isLookedAt } from "../../../core/journey/entry.ts";
import { uuidOf } from "../../../core/uuid.ts";
import { type OpenCampaign, pickProps, type Rules } from "./rules.ts";

/** An event that ends runs of these campaigns and versions. `order`: its place in the batch. */
export interface StopMatch {
  order: number;
  client_id: string;
  keys: string[];
  /** `<campaign>:<version>`. */
  of: string[];
  reason: string;
  event_id: string;
  at: string;
}

/** An event that runs of these campaigns and versions may be waiting for. */
export interface TellMatch {
  order: number;
  client_id: string;
  keys: string[];
  of: string[];
  event: RunEvent;
}

/** Somebody who may enter a journey. */
export interface Entry {
  order: number;
  campaign: OpenCampaign;
  run_id: string;
  workflow_id: string;
  client_id: string;
  person_key: string;
  person_keys: string[];
  entry_key: string;
  event_id: string;
  event_type: string;
  props: Record<string, unknown>;
  request_id: string;
  at: string;
  /** An event later in the same batch that ends this very run. */
  stopped: { reason: string; event_id: string } | null;
}

export interface Matches {
  stops: StopMatch[];
  tells: TellMatch[];
  entries: Entry[];
  /** Why somebody who matched a trigger does not enter. */
  refused: { reason: RefusalReason; campaign: OpenCampaign }[];
}

export type RefusalReason = "paused" | "stale" | "where" | "backfill";

/** An event older than this starts no journey: its device was off for days. */
export const MAX_ENTRY_AGE_MS = DAY_MS;
/**
 * An event ends a run although it is this much older than the run's entry: two devices' clocks differ. What is older
 * still has nothing to do with the run.
 */
export const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS;
/** What messages may speak of; more is left out. */
const MAX_PROPS_LENGTH = 8192;

/** What a batch means for journeys, by the rules alone: no store is asked. Events in the order of the stream. */
export function matchEvents(events: readonly EnrichedEvent[], rules: Rules, nowMs: number): Matches {
  const matches: Matches = { stops: [], tells: [], entries: [], refused: [] };
  for (const [order, event] of events.entries()) {
    if (!rules.hasClient(event.client_id)) continue;
    // In this order: an event that both ends and starts a journey ends the old run and starts a new one.
    matchStops(order, event, rules, matches);
    // What happened before anybody asked is no answer. What ends a run by its time ends it, wherever it comes from.
    if (event.backfill_id === undefined) matchWaits(order, event, rules, matches);
    for (const campaign of rules.triggers(event.client_id, event.event_type)) {
      enter({ order, event, campaign, nowMs }, matches);
    }
  }
  return matches;
}

function matchStops(order: number, event: EnrichedEvent, rules: Rules, matches: Matches): void {
  const props = event.event.props ?? {};
  const exits = rules.exits(event.client_id, event.event_type).filter(({ rule }) => allHold(rule.where, props));
  if (exits.length === 0) return;
  const { client_id, event_id, timestamp: at } = event;
  const of = exits.map((exit) => exit.of);
  const stop = { order, client_id, keys: event.person.keys, of, reason: exits[0]!.rule.reason, event_id, at };
  matches.stops.push(stop);
  for (const entry of matches.entries) {
    if (entry.stopped === null && isStoppedBy(entry, stop)) entry.stopped = { reason: stop.reason, event_id };
  }
}

function isStoppedBy(entry: Entry, stop: StopMatch): boolean {
  const of = `${entry.campaign.campaign_id}:${entry.campaign.version}`;
  if (Date.parse(entry.at) > Date.parse(stop.at) + CLOCK_TOLERANCE_MS) return false;
  return entry.client_id === stop.client_id && stop.of.includes(of) && overlap(entry.person_keys, stop.keys);
}

function matchWaits(order: number, event: EnrichedEvent, rules: Rules, matches: Matches): void {
  const waits = rules.waits(event.client_id, event.event_type);
  if (waits.length === 0) return;
  const { client_id, event_id, event_type, timestamp: at } = event;
  const props = pickProps(
    event.event.props ?? {},
    waits.flatMap((wait) => wait.paths),
  );
  const of = waits.map((wait) => wait.of);
  matches.tells.push({ order, client_id, keys: event.person.keys, of, event: { event_id, event_type, at, props } });
}

interface Candidate {
  order: number;
  event: EnrichedEvent;
  campaign: OpenCampaign;
  nowMs: number;
}

function enter({ order, event, campaign, nowMs }: Candidate, matches: Matches): void {
  const { trigger } = campaign;
  const refuse = (reason: RefusalReason) => void matches.refused.push({ reason, campaign });
  const props = event.event.props ?? {};
  if (!isLookedAt(trigger, event.event_type)) return;
  if (!isEntry(trigger, props)) return refuse("where");
  if (event.backfill_id !== undefined) return refuse("backfill");
  if (campaign.paused) return refuse("paused");
  if (nowMs - Date.parse(event.timestamp) > MAX_ENTRY_AGE_MS) return refuse("stale");
  const entry = { order, ...toEntry(event, campaign, props) };
  if (!matches.entries.some((other) => isSameRun(other, entry))) matches.entries.push(entry);
}

function toEntry(event: EnrichedEvent, campaign: OpenCampaign, props: Record<string, unknown>): Omit<Entry, "order"> {
  const { client_id, person, event_id, event_type, request_id, timestamp: at } = event;
  const entry_key = entryKeyOf(campaign, props);
  const workflow_id = journeyWorkflowId(client_id, campaign.campaign_id, person.key, entry_key);
  return {
    campaign,
    run_id: uuidOf("run", workflow_id, event_id),
    workflow_id,
    client_id,
    person_key: person.key,
    person_keys: person.keys,
    entry_key,
    event_id,
    event_type,
    props: JSON.stringify(props).length > MAX_PROPS_LENGTH ? {} : props,
    request_id,
    at,
    stopped: null,
  };
}

function isSameRun(a: Entry, b: Entry): boolean {
  return (
    a.stopped === null &&
    a.campaign === b.campaign &&
    a.entry_key === b.entry_key &&
    overlap(a.person_keys, b.person_keys)
  );
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  return a.some((key) => b.includes(key));
}
