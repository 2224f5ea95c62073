import { and, asc, eq } from "drizzle-orm";
import type { z } from "zod";

import { AppError } from "../../core/errors.ts";
import { shareInterval } from "../../core/pipeline/beta.ts";
import { createPipelineCount, type PipelineCount, type PipelineRange } from "../../core/pipeline/count-stages.ts";
import { chanceInterval, type Expected, FORECAST_LEVEL, forecastDeals } from "../../core/pipeline/forecast.ts";
import { DEFAULT_PIPELINE, type Stage } from "../../core/pipeline/pipeline.ts";
import { learnChain, type StageOutlook } from "../../core/pipeline/win-chain.ts";
import { DAY_MS } from "../../core/time.ts";
import { pipelines, pipelineStages } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import type { ExpectedReport, pipelineInput, PipelineReport, StageReport, TotalsReport } from "./pipeline-schema.ts";
import { readRange } from "./range.ts";
import { readDealStates } from "./read-deal-states.ts";

const MOST_GROUPS = 200;

/**
 * Deals by stage, what became of them in a range, and what those that are open at its end will bring. From the history of deals
 * alone, as it was at the end: the same question about a past range has the same answer for ever.
 */
export async function reportPipeline(
  tx: Transaction,
  clientId: string,
  query: z.output<typeof pipelineInput>,
): Promise<PipelineReport> {
  const { start, end } = await readRange(tx, clientId, query);
  const pipeline = await findPipeline(tx, clientId, query.pipeline_id);
  const endMs = Math.min(end, Date.now());
  const range = { startMs: start, endMs, learnFromMs: endMs - query.history_days * DAY_MS };
  const { all, groups } = await countDeals(tx, clientId, { pipeline, range, groupBy: query.group_by });
  const outlooks = learnChain(pipeline.stages, all, query.horizon_days * DAY_MS);
  const describe = (count: PipelineCount) => ({
    stages: pipeline.stages.map((stage, index) => describeStage(stage, count.stages[index]!)),
    totals: describeTotals(count),
    forecast: describeForecast(count, outlooks),
  });
  const whole = describe(all);
  const { horizon_days, history_days } = query;
  const stages = pipeline.stages.flatMap((stage, index) =>
    stage.kind === "open" ? [describeOutlook(stage, outlooks[index]!)] : [],
  );
  return {
    pipeline_id: pipeline.id,
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
    ...whole,
    forecast: { horizon_days, history_days, ...whole.forecast, stages },
    groups: groups.map(({ key, count }) => ({ key, ...describe(count) })),
    as_of: new Date(endMs).toISOString(),
  };
}

interface Pipeline {
  id: string;
  stages: readonly Stage[];
}

/** The default one is there before anybody has made a deal. Throws `invalid` where there is none of that name. */
async function findPipeline(tx: Transaction, clientId: string, asked: string | undefined): Promise<Pipeline> {
  const isMeant = asked === undefined ? eq(pipelines.is_default, true) : eq(pipelines.id, asked);
  const found = await tx.query.pipelines.findFirst({ where: and(eq(pipelines.client_id, clientId), isMeant) });
  if (!found && (asked ?? DEFAULT_PIPELINE.id) === DEFAULT_PIPELINE.id) return DEFAULT_PIPELINE;
  if (!found) {
    const faults = [{ path: "/pipeline_id", reason: "is no pipeline of yours: GET /api/v1/pipelines names them" }];
    throw new AppError("invalid", "The query is not valid.", { faults });
  }
  const stages = await tx.query.pipelineStages.findMany({
    where: and(eq(pipelineStages.client_id, clientId), eq(pipelineStages.pipeline_id, found.id)),
    orderBy: asc(pipelineStages.position),
  });
  return { id: found.id, stages };
}

interface Asked {
  pipeline: Pipeline;
  range: PipelineRange;
  groupBy: "owner" | "source" | undefined;
}

async function countDeals(tx: Transaction, clientId: string, { pipeline, range, groupBy }: Asked) {
  const all = createPipelineCount(pipeline.stages, range);
  const groups = new Map<string | null, ReturnType<typeof createPipelineCount> & { deals: number }>();
  for await (const states of readDealStates(tx, clientId, { pipelineId: pipeline.id, endMs: range.endMs })) {
    all.add(states);
    if (groupBy === undefined) continue;
    const key = states.at(-1)![groupBy];
    const group = groups.get(key) ?? { ...createPipelineCount(pipeline.stages, range), deals: 0 };
    groups.set(key, group);
    group.add(states);
    group.deals += 1;
  }
  const most = [...groups].toSorted(
    ([a, { deals: x }], [b, { deals: y }]) => y - x || ((a ?? "") < (b ?? "") ? -1 : 1),
  );
  return { all: all.count, groups: most.slice(0, MOST_GROUPS).map(([key, { count }]) => ({ key, count })) };
}

function describeStage({ stage, name, kind }: Stage, count: PipelineCount["stages"][number]): StageReport {
  const { deals, amounts, entered, left, reached, advanced, staysMs } = count;
  const converts = kind === "open" && reached > 0;
  return {
    stage,
    name,
    kind,
    deals,
    amounts,
    entered,
    left,
    reached,
    advanced,
    conversion_to_next: converts ? advanced / reached : null,
    conversion_interval: converts ? shareInterval(advanced, reached, FORECAST_LEVEL) : null,
    median_seconds: medianOf(staysMs, 1_000),
  };
}

function medianOf(values: readonly number[], unit: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2 / unit;
}

function describeTotals({ created, open, won, lost }: PipelineCount): TotalsReport {
  const closed = won.deals + lost.deals;
  const reasons = [...lost.reasons]
    .map(([reason, deals]) => ({ reason, deals }))
    .toSorted((a, b) => b.deals - a.deals || ((a.reason ?? "") < (b.reason ?? "") ? -1 : 1));
  return {
    created,
    open,
    won,
    lost: { deals: lost.deals, amounts: lost.amounts, reasons },
    win_rate: closed === 0 ? null : won.deals / closed,
    win_rate_interval: closed === 0 ? null : shareInterval(won.deals, closed, FORECAST_LEVEL),
  };
}

function describeForecast(count: PipelineCount, outlooks: readonly StageOutlook[]): ExpectedReport {
  const { deals, amounts } = forecastDeals(count.openDeals, outlooks);
  return {
    deals,
    amounts: Object.fromEntries(Object.entries(amounts).map(([currency, one]) => [currency, inWholeUnits(one)])),
  };
}

function inWholeUnits({ open, expected, low, high }: Expected): Expected {
  return { open, expected: Math.round(expected), low: Math.round(low), high: Math.round(high) };
}

function describeOutlook({ stage, probability }: Stage, { win, winWithin, strength, seen }: StageOutlook) {
  return {
    stage,
    default_probability: probability,
    seen,
    win,
    win_within: winWithin,
    win_within_interval: chanceInterval(winWithin, strength),
  };
}
