import { allHold, type Condition } from "../condition.ts";
import { EXPOSURE } from "./definition.ts";

/** What of an event an experiment looks at; `at` in epoch milliseconds. */
export interface ExperimentEvent {
  person: string;
  /** A machine that nobody logged in on is shown nothing. */
  isMachine: boolean;
  event_type: string;
  at: number;
  props: Readonly<Record<string, unknown>>;
  currency: string | null;
  revenue_minor: number | null;
}

/** An experiment as it is counted. */
export interface CountedExperiment {
  id: string;
  variants: readonly string[];
  metric: { event_type: string; conditions: Condition[] };
  window_ms: number;
  started_at: number;
  ended_at: number | null;
}

export interface CountedPerson {
  person: string;
  /** '' where they saw none that the experiment has. */
  variant: string;
  kind: "counted" | "mixed" | "unknown";
  first_at: number;
  converted: boolean;
  /** Minor units by currency. */
  earned: Record<string, number>;
}

/**
 * Who took part, person by person, as one would count by hand: the reference for the SQL of ETL. A person is exposed by events between
 * start and end that name the experiment, and belongs to the variant they saw first; what they do counts from that moment on, for less
 * than the window.
 */
export function countExperiment(experiment: CountedExperiment, events: readonly ExperimentEvent[]): CountedPerson[] {
  const { id, variants, metric, window_ms, started_at, ended_at } = experiment;
  const exposures = events.filter(
    (one) =>
      one.event_type === EXPOSURE &&
      !one.isMachine &&
      one.props["experiment_id"] === id &&
      one.at >= started_at &&
      (ended_at === null || one.at < ended_at),
  );
  return [...Map.groupBy(exposures, (one) => one.person)].map(([person, theirs]) => {
    const inOrder = theirs.toSorted((a, b) => a.at - b.at);
    const known = inOrder.filter((one) => variants.includes(one.props["variant"] as string));
    const seen = new Set(known.map((one) => one.props["variant"] as string));
    const first = known[0] ?? inOrder[0]!;
    const done = events.filter(
      (one) =>
        one.person === person &&
        one.event_type === metric.event_type &&
        one.at >= first.at &&
        one.at < first.at + window_ms &&
        allHold(metric.conditions, one.props),
    );
    const earned: Record<string, number> = {};
    for (const { currency, revenue_minor } of done) {
      if (currency !== null && revenue_minor !== null) earned[currency] = (earned[currency] ?? 0) + revenue_minor;
    }
    return {
      person,
      variant: known.length === 0 ? "" : (first.props["variant"] as string),
      kind: seen.size === 0 ? "unknown" : seen.size === 1 ? "counted" : "mixed",
      first_at: first.at,
      converted: done.length > 0,
      earned,
    };
  });
}
