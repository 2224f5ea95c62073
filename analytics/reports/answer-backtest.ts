import { setImmediate as breathe } from "node:timers/promises";

import { sql } from "drizzle-orm";
import { z } from "zod";

import { type BacktestReport, CONFLICT_MS, createBacktestTally } from "../../core/backtest.ts";
import { campaignSchema, compileCampaign } from "../../core/campaign.ts";
import { CHANNELS } from "../../core/channel.ts";
import { AppError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { eventTypesOf } from "../../core/journey/event-types.ts";
import { createRehearsal, type Rehearsal } from "../../core/journey/rehearsal.ts";
import { parse } from "../../core/parse.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";
import type { AnswererDeps } from "../ad-hoc/answerers.ts";
import { findClient, listPartitions, startOf } from "../etl/book.ts";
import { query, queryPages } from "../etl/deps.ts";
import { createEventsView } from "../etl/events-view.ts";
import { readTimeZone } from "../read-time-zone.ts";

/** What happened in this time before the start is known of people, and lets nobody in. */
const KNOWN_BEFORE_MS = 30 * DAY_MS;
/** What messages may speak of; more is left out, as live. */
const MAX_PROPS_LENGTH = 8_192;
const MAX_DECISIONS = 20_000;

export const costPerMessageSchema = z.partialRecord(z.enum(CHANNELS), z.number().min(0).max(1e6));

/** As a question carries it; moments in epoch milliseconds. */
const questionSchema = z.strictObject({
  campaign: campaignSchema,
  start: z.int(),
  end: z.int(),
  cost_per_message: costPerMessageSchema,
});

interface Asked {
  definition: JourneyDefinition;
  start: number;
  end: number;
}

/** Plays a campaign for everybody who did anything in the range: by the events of the curated lake, and the reducer that runs it live. */
export async function answerBacktest(deps: AnswererDeps, clientId: string, params: unknown): Promise<BacktestReport> {
  const { campaign, start, end, cost_per_message: costPerMessage } = parse(questionSchema, params, "question");
  const compiled = compileCampaign(campaign);
  if (!compiled.ok) throw new AppError("invalid", "The campaign is not valid.", { faults: compiled.faults });
  const { definition, hash } = compiled;
  const { db } = deps.ctx;
  const timeZone = await readTimeZone(db, clientId);
  const tally = createBacktestTally({ hash, start, end, timeZone, costPerMessage });
  const asked = { definition, start, end };
  const sent = await readSent(deps, clientId, campaign.campaign_id, asked);
  const fromMs = start - KNOWN_BEFORE_MS;
  const hours = (await listPartitions(db, clientId)).filter(({ version, partition }) => {
    const startMs = startOf(partition);
    return version > 0 && startMs + HOUR_MS > fromMs && startMs < end;
  });
  if (hours.length === 0) return tally.report();
  const client = await findClient(db, clientId);
  await deps.warehouse.use(async (connection) => {
    const where = `epoch_ms(timestamp) >= ${fromMs} AND epoch_ms(timestamp) < ${end}`;
    await createEventsView(deps.lake, connection, { client, hours, where });
    for await (const { person, rehearsal } of rehearseAll(deps, connection, asked)) {
      tally.add(person, rehearsal, sent.get(person) ?? []);
    }
  });
  return tally.report();
}

async function* rehearseAll(
  deps: AnswererDeps,
  connection: DuckDBConnection,
  asked: Asked,
): AsyncGenerator<{ person: string; rehearsal: Rehearsal }> {
  const rows = eventsSql(asked);
  const [counted] = await query(connection, `SELECT count(*) AS n FROM (${rows})`);
  const total = Number(counted?.["n"]);
  let [done, told] = [0, 0];
  let person: string | undefined;
  let rehearsal: Rehearsal | undefined;
  const end = () => {
    rehearsal!.advanceTo(asked.end);
    return { person: person!, rehearsal: rehearsal! };
  };
  for await (const page of queryPages(connection, `${rows} ORDER BY person, ms, length(place), place, source_index`)) {
    for (const row of page) {
      const atMs = Number(row["ms"]);
      if (row["person"] !== person) {
        if (rehearsal) yield end();
        person = String(row["person"]);
        rehearsal = createRehearsal(asked.definition, { at_ms: atMs, maxDecisions: MAX_DECISIONS });
      }
      rehearsal!.advanceTo(atMs);
      const event = {
        event_type: String(row["event_type"]),
        props: readProps(row["props"]),
        country: row["country"] as string | null,
        device: row["device"] as string | null,
      };
      if (atMs < asked.start) rehearsal!.learn(event);
      else rehearsal!.tell(event);
    }
    done += page.length;
    const percent = Math.floor((done / total) * 100);
    if (percent > told) deps.report((told = percent) / 100);
    // A page is some milliseconds of decisions; others wait in this process.
    await breathe();
  }
  if (rehearsal) yield end();
}

/** Of people who may enter at all, all that can make a difference. */
function eventsSql({ definition, start }: Asked): string {
  const types = eventTypesOf(definition);
  const { trigger } = definition;
  const all = `SELECT person, event_type, epoch_ms(timestamp) AS ms, props, country, device, source_sequence AS place, source_index FROM events`;
  if (types === null || trigger.type !== "event") return `${all} WHERE person IS NOT NULL`;
  return `${all} WHERE event_type IN (${[...types].map(quote).join(", ")}) AND person IN (
    SELECT person FROM events WHERE event_type = ${quote(trigger.event_type)} AND epoch_ms(timestamp) >= ${start})`;
}

function readProps(json: unknown): Record<string, unknown> {
  if (typeof json !== "string" || json.length > MAX_PROPS_LENGTH) return {};
  const props: unknown = JSON.parse(json);
  return isObject(props) ? props : {};
}

/** What other campaigns did send, by person and in order. */
async function readSent(
  { ctx }: AnswererDeps,
  clientId: string,
  campaignId: string,
  { start, end }: Asked,
): Promise<Map<string, number[]>> {
  const [from, to] = [start - CONFLICT_MS, end + CONFLICT_MS].map((ms) => new Date(ms).toISOString());
  const rows = await ctx.db.execute<{ person: string; sent: number[] }>(sql`
    select person_key as person, jsonb_agg(extract(epoch from created_at)::float8 * 1000 order by created_at) as sent
    from deliveries where client_id = ${clientId} and campaign_id <> ${campaignId}
      and created_at between ${from} and ${to} and state in ('submitted', 'delivered', 'unknown')
    group by person_key`);
  return new Map(rows.map(({ person, sent }) => [person, sent]));
}
