import { type Condition } from "../../../core/condition.ts";
import type { ExitRule, JourneyDefinition, ReEntry, Trigger } from "../../../core/journey/definition.ts";
import { kindOf } from "../../../core/journey/nodes/index.ts";

/** A published version, as far as matching events needs it. */
export interface Version {
  client_id: string;
  campaign_id: string;
  version: number;
  hash: string;
  definition: JourneyDefinition;
}

/** What new entries run: the current version of a campaign that is active or paused. */
export interface OpenCampaign extends Version {
  paused: boolean;
  trigger: Trigger;
  re_entry: ReEntry;
}

/** `of`: campaign and version, as `<campaign>:<version>`. */
export interface ExitMatch {
  of: string;
  rule: ExitRule;
}

export interface WaitMatch {
  of: string;
  /** What conditions ask of the event's props; nothing else of them is passed on. */
  paths: readonly string[];
}

/** Answers by two look-ups in a map, so that an event which matches nothing costs nothing. */
export interface Rules {
  hasClient(clientId: string): boolean;
  triggers(clientId: string, eventType: string): readonly OpenCampaign[];
  exits(clientId: string, eventType: string): readonly ExitMatch[];
  waits(clientId: string, eventType: string): readonly WaitMatch[];
}

/** Stands for every event type. */
const ANY = "*";

/**
 * `versions`: all that may have runs under way, whose exits and waits count; `open`: those that new people enter.
 */
export function compileRules(versions: readonly Version[], open: readonly OpenCampaign[]): Rules {
  const clients = new Set(versions.map((version) => version.client_id));
  const triggers = new Index<OpenCampaign>();
  const exits = new Index<ExitMatch>();
  const waits = new Index<WaitMatch>();
  for (const campaign of open) {
    const { trigger } = campaign;
    triggers.add(campaign.client_id, trigger.type === "event" ? trigger.event_type : ANY, campaign);
  }
  for (const version of versions) {
    const of = nameOf(version);
    for (const rule of version.definition.exit_on) exits.add(version.client_id, rule.event_type, { of, rule });
    for (const [eventType, paths] of waitedFor(version.definition))
      waits.add(version.client_id, eventType, { of, paths });
  }
  return {
    hasClient: (clientId) => clients.has(clientId),
    triggers: (clientId, eventType) => triggers.find(clientId, eventType),
    exits: (clientId, eventType) => exits.find(clientId, eventType),
    waits: (clientId, eventType) => waits.find(clientId, eventType),
  };
}

export function nameOf({ campaign_id, version }: Pick<Version, "campaign_id" | "version">): string {
  return `${campaign_id}:${version}`;
}

function waitedFor(definition: JourneyDefinition): Map<string, string[]> {
  const waited = new Map<string, string[]>();
  for (const node of Object.values(definition.nodes)) {
    for (const { event_type, paths } of kindOf(node).listensTo(node)) {
      waited.set(event_type, [...(waited.get(event_type) ?? []), ...paths]);
    }
  }
  return waited;
}

/** A list for each client and event type, with those for any type in each. */
class Index<T> {
  readonly #byClient = new Map<string, Map<string, T[]>>();
  readonly #none: readonly T[] = [];

  add(clientId: string, eventType: string, item: T): void {
    const byType = this.#byClient.get(clientId) ?? new Map<string, T[]>();
    this.#byClient.set(clientId, byType);
    byType.set(eventType, [...(byType.get(eventType) ?? []), item]);
  }

  find(clientId: string, eventType: string): readonly T[] {
    const byType = this.#byClient.get(clientId);
    if (byType === undefined) return this.#none;
    const any = byType.get(ANY);
    const own = byType.get(eventType);
    if (any === undefined) return own ?? this.#none;
    return own === undefined || eventType === ANY ? any : [...own, ...any];
  }
}

/** The props that conditions look at, under the same paths. */
export function pickProps(
  props: Readonly<Record<string, unknown>>,
  paths: readonly Condition["path"][],
): Record<string, unknown> {
  const roots = new Set(paths.flatMap((path) => [path, path.split(".")[0]!]));
  return Object.fromEntries(Object.entries(props).filter(([name]) => roots.has(name)));
}
