import { sql } from "drizzle-orm";

import type { Difference } from "../../core/contracts/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import { CLOCKS_DIFFER_MS, type Pass, query } from "./scope.ts";
import { listJournals, stageJournals } from "./stage-journals.ts";

/** What an edge says it has acknowledged in the hour, to one client. Read before the receipts are. */
export interface EdgeCount {
  edge: string;
  client_id: string;
  acknowledged: number;
  unsure: number;
  final: boolean;
  flushedAtMs: number;
}

export interface EdgeFindings {
  /** By client: as far as edges have counted it, or noted it before they were killed. */
  acknowledged: ReadonlyMap<string, number>;
  /** Losses that nobody can name; those that can be named are among `differences` in the warehouse. */
  differences: Difference[];
  notes: { client_id: string; text: string }[];
}

/** An edge writes within a second what has changed, and soon after the hour that it has counted all of it. */
const SILENT_AFTER_MS = 30_000;
const FINAL_WITHIN_MS = 120_000;
const GAPS_SHOWN = 20;

export async function readEdgeCounts({
  deps,
  hourMs,
  clientId,
}: Pick<Pass, "deps" | "hourMs" | "clientId">): Promise<EdgeCount[]> {
  const hour = new Date(hourMs).toISOString();
  const rows = await deps.ctx.db.execute<Omit<EdgeCount, "flushedAtMs"> & { flushed_ms: string }>(sql`
    select edge, client_id, acknowledged::float8 as acknowledged, unsure::float8 as unsure, final,
      extract(epoch from flushed_at) * 1000 as flushed_ms
    from edge_counts where hour = ${hour} and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
  return rows.map(({ flushed_ms, ...row }) => ({ ...row, flushedAtMs: Number(flushed_ms) }));
}

/** One edge and client: what it counted, what its journal notes, and what the stream has. */
interface Account {
  edge: string;
  client_id: string;
  count: EdgeCount | undefined;
  received: number;
  noted: number;
  /** Noted, and not received though it should be. */
  lost: number;
}

/**
 * What each edge acknowledged against the receipts that name it. An envelope that a producer put there twice has one number, so it
 * counts once. Where the counts leave anything open the edge's journal is read, which says which events it acknowledged.
 */
export async function compareEdges(pass: Pass, counts: readonly EdgeCount[]): Promise<EdgeFindings> {
  const received = await countReceipts(pass);
  await stageJournals(pass, await findDoubtful(pass, counts, received));
  const accounts = await draw(pass, counts, received);
  const acknowledged = new Map<string, number>();
  const findings = { acknowledged, differences: [] as Difference[], notes: [] as EdgeFindings["notes"] };
  for (const account of accounts) {
    const { client_id, count, noted } = account;
    const known = Math.max(count?.acknowledged ?? 0, noted);
    acknowledged.set(client_id, (acknowledged.get(client_id) ?? 0) + known);
    await judge(pass, account, findings);
  }
  return findings;
}

type Receipts = ReadonlyMap<string, Pick<Account, "edge" | "client_id" | "received">>;

async function countReceipts({ connection }: Pass): Promise<Receipts> {
  const rows = await query(
    connection,
    `SELECT edge, client_id, count(DISTINCT (envelope, ordinal))::DOUBLE AS events FROM receipts WHERE edge IS NOT NULL GROUP BY ALL`,
  );
  const counted = rows.map((row) => ({
    edge: String(row["edge"]),
    client_id: String(row["client_id"]),
    received: Number(row["events"]),
  }));
  return new Map(counted.map((one) => [keyOf(one), one]));
}

/** Edges whose counts do not prove by themselves that the stream has everything: as a rule none. */
async function findDoubtful(pass: Pass, counts: readonly EdgeCount[], received: Receipts): Promise<Set<string>> {
  const counted = new Set(counts.map((count) => count.edge));
  const doubtful = counts.filter((count) => {
    const found = received.get(keyOf(count))?.received ?? 0;
    return found < count.acknowledged || count.unsure > 0 || isSilent(count);
  });
  const uncounted = [...(await listJournals(pass)), ...[...received.values()].map((one) => one.edge)];
  return new Set([...doubtful.map((count) => count.edge), ...uncounted.filter((edge) => !counted.has(edge))]);
}

/** Also enters each loss that a journal names among `differences`. */
async function draw(pass: Pass, counts: readonly EdgeCount[], received: Receipts): Promise<Account[]> {
  const settled = pass.settledMs - CLOCKS_DIFFER_MS;
  await pass.connection.run(`CREATE OR REPLACE TEMP TABLE lost AS
    SELECT edge, client_id, event_id, envelope, ordinal, acknowledged_ms FROM noted
    WHERE acknowledged_ms < ${settled} AND (edge, envelope, ordinal) NOT IN (SELECT (edge, envelope, ordinal) FROM receipts WHERE edge IS NOT NULL)`);
  await pass.connection.run(`INSERT INTO differences
    SELECT 'lost_in_stream', client_id, event_id, NULL, 1, 'edge ' || edge || ', envelope ' || envelope || ': acknowledged at '
      || strftime(make_timestamp(CAST(acknowledged_ms AS BIGINT) * 1000), '%H:%M:%S.%g') || '; the stream has no receipt of it', NULL, NULL FROM lost`);
  const rows = await query(
    pass.connection,
    `SELECT edge, client_id, count(*)::DOUBLE AS noted, (SELECT count(*) FROM lost l WHERE l.edge = n.edge AND l.client_id = n.client_id)::DOUBLE AS lost
     FROM noted n GROUP BY edge, client_id`,
  );
  const accounts = new Map<string, Account>();
  const of = ({ edge, client_id }: Pick<Account, "edge" | "client_id">) => {
    const account = accounts.get(keyOf({ edge, client_id })) ?? {
      edge,
      client_id,
      count: undefined,
      received: 0,
      noted: 0,
      lost: 0,
    };
    accounts.set(keyOf(account), account);
    return account;
  };
  for (const count of counts) of(count).count = count;
  for (const one of received.values()) of(one).received = one.received;
  for (const row of rows) {
    const account = of({ edge: String(row["edge"]), client_id: String(row["client_id"]) });
    account.noted = Number(row["noted"]);
    account.lost = Number(row["lost"]);
  }
  return [...accounts.values()];
}

async function judge(pass: Pass, account: Account, findings: EdgeFindings): Promise<void> {
  const { edge, client_id, count, received, noted, lost } = account;
  const note = (text: string) => findings.notes.push({ client_id, text });
  if (count === undefined) {
    if (noted === 0) note(`edge ${edge} has no count for this hour: how much it acknowledged is not known`);
    return;
  }
  if (isSilent(count)) {
    const since = new Date(count.flushedAtMs).toISOString();
    if (noted < count.acknowledged)
      note(
        `edge ${edge} is silent since ${since} and has no whole journal: what it acknowledged after that is not known`,
      );
    else if (Date.now() > pass.hourMs + HOUR_MS + FINAL_WITHIN_MS)
      note(`edge ${edge} was killed after ${since}: what it acknowledged until then is known by its journal`);
  }
  // What was counted later may still be on its way to the receipts.
  const isSettled = count.flushedAtMs < pass.settledMs - CLOCKS_DIFFER_MS;
  const unnamed = count.acknowledged - received - lost;
  if (isSettled && unnamed > 0) findings.differences.push(await describeLoss(pass, count, unnamed));
  const surplus = received - count.acknowledged - count.unsure;
  if (count.final && surplus > 0) findings.differences.push(describeSurplus(count, received, surplus));
}

/** Killed, or nobody has sent it anything since. */
function isSilent(count: EdgeCount): boolean {
  return !count.final && Date.now() - count.flushedAtMs > SILENT_AFTER_MS;
}

const NOTHING = { event_id: null, delivery_id: null, place: null };

function describeSurplus({ edge, client_id, acknowledged, unsure }: EdgeCount, found: number, count: number) {
  const last_seen = `stream: ${found} events of edge ${edge}, which counted ${acknowledged} and left ${unsure} unanswered`;
  return { kind: "never_acknowledged" as const, count, last_seen, client_id, ...NOTHING };
}

/** Where no journal says which: edges number their envelopes, and what is missing in between tells between which moments it was. */
async function describeLoss(pass: Pass, { edge, client_id }: EdgeCount, count: number) {
  const gaps = await query(
    pass.connection,
    `SELECT envelope + 1 AS first, next - 1 AS last, strftime(received_at, '%H:%M:%S.%g') AS after FROM (
      SELECT envelope, received_at, lead(envelope) OVER (ORDER BY envelope) AS next FROM (
        SELECT envelope, max(received_at) AS received_at FROM receipts WHERE edge = '${edge.replaceAll("'", "''")}' GROUP BY envelope)
    ) WHERE next > envelope + 1 ORDER BY 1 LIMIT ${GAPS_SHOWN}`,
  );
  const where = gaps
    .map(({ first, last, after }) => `${String(first)}–${String(last)} after ${String(after)}`)
    .join(", ");
  const hour = new Date(pass.hourMs).toISOString().slice(0, 13);
  const named = where === "" ? "" : `; envelopes without a receipt: ${where}`;
  const last_seen = `edge ${edge}: acknowledged in ${hour}${named}`;
  return { kind: "lost_in_stream" as const, count, last_seen, client_id, ...NOTHING };
}

function keyOf({ edge, client_id }: Pick<Account, "edge" | "client_id">): string {
  return JSON.stringify([edge, client_id]);
}
