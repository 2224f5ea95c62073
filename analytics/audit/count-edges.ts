import { sql } from "drizzle-orm";

import type { Difference } from "../../core/contracts/audit.ts";
import { CLOCKS_DIFFER_MS, type Pass, query, type Row } from "./scope.ts";

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
  differences: Difference[];
  notes: { client_id: string; text: string }[];
}

/** An edge writes its counts every second. */
const SILENT_AFTER_MS = 30_000;
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

/**
 * What each edge acknowledged against the receipts that name it. An envelope that a producer put there twice has one number, so it
 * counts once. Too few: the stream has lost some. Too many: an edge that was killed had not written its last count.
 */
export async function compareEdges(pass: Pass, counts: readonly EdgeCount[]): Promise<EdgeFindings> {
  const rows = await query(
    pass.connection,
    `SELECT edge, client_id, count(DISTINCT (envelope, ordinal))::DOUBLE AS events FROM receipts WHERE edge IS NOT NULL GROUP BY ALL`,
  );
  const receipts = new Map(rows.map((row) => [keyOf(row), Number(row["events"])]));
  const findings: EdgeFindings = { differences: [], notes: [] };
  for (const count of counts) {
    const found = receipts.get(keyOf(count)) ?? 0;
    receipts.delete(keyOf(count));
    // What was counted later may still be on its way to the receipts.
    if (found < count.acknowledged && count.flushedAtMs < pass.settledMs - CLOCKS_DIFFER_MS) {
      findings.differences.push(await describeLoss(pass, count, count.acknowledged - found));
    } else judgeSurplus(findings, count, found);
  }
  for (const key of receipts.keys()) {
    const [edge = "", client_id = ""] = JSON.parse(key) as string[];
    findings.notes.push({
      client_id,
      text: `edge ${edge} has no count for this hour: how much it acknowledged is not known`,
    });
  }
  return findings;
}

function judgeSurplus({ differences, notes }: EdgeFindings, count: EdgeCount, found: number): void {
  const { edge, client_id } = count;
  if (!count.final && Date.now() - count.flushedAtMs > SILENT_AFTER_MS) {
    const until = new Date(count.flushedAtMs).toISOString();
    const text = `edge ${edge} was killed: its count ends at ${until}; what it acknowledged in the second after that is not counted`;
    notes.push({ client_id, text });
  }
  const surplus = found - count.acknowledged - count.unsure;
  if (!count.final || surplus <= 0) return;
  const last_seen = `stream: ${found} events of edge ${edge}, which counted ${count.acknowledged} and left ${count.unsure} unanswered`;
  differences.push({ kind: "never_acknowledged", count: surplus, last_seen, client_id, ...NOTHING });
}

const NOTHING = { event_id: null, delivery_id: null, place: null };

/** Edges number their envelopes: what is missing in between names what was lost, as far as it does not lie at the end. */
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

function keyOf(row: Row | EdgeCount): string {
  return JSON.stringify([row.edge, row.client_id]);
}
