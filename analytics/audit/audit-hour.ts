import { setTimeout as sleep } from "node:timers/promises";

import { sql } from "drizzle-orm";

import { hourOf, verdictOf } from "../../core/audit.ts";
import type { AuditedHour, Difference } from "../../core/contracts/audit.ts";
import { AppError } from "../../core/errors.ts";
import { HOUR_MS } from "../../core/time.ts";
import { auditMessages, type MessageFindings } from "./audit-messages.ts";
import { compareEdges, type EdgeCount, type EdgeFindings, readEdgeCounts } from "./count-edges.ts";
import { countEvents, type EventCounts, judgeEvents } from "./judge-events.ts";
import { describeDifferences } from "./last-seen.ts";
import { type AuditDeps, type Pass, query, type Scope } from "./scope.ts";
import { waitUntilSettled } from "./settled.ts";
import { findFirstReceipts, type GoneFile } from "./stage-lake.ts";

/** What a compaction changes between two looks is over by then; what is wrong stays wrong. */
const SECOND_LOOK_AFTER_MS = 2_000;
/** By then a closed hour's repetitions have been compacted away; before, they wait for it. */
const COMPACTED_AFTER_MS = 3 * HOUR_MS;
const SHOWN = 100;

/**
 * One hour of receipt at the edge: what was acknowledged against what became of it, and the messages begun in it. One entry for
 * each client that had any. Throws `unavailable` where a store is away.
 */
export async function auditHour(deps: AuditDeps, scope: Scope): Promise<AuditedHour[]> {
  const untilMs = Math.min(Date.now(), scope.hourMs + HOUR_MS);
  const edges = await readEdgeCounts({ deps, ...scope });
  const sight = await findSight(deps, scope.hourMs, untilMs);
  const events = sight.hasReceipts
    ? await deps.warehouse.use((connection) => lookTwice({ deps, connection, ...sight, ...scope }, edges))
    : NO_EVENTS;
  const deliveries = await auditMessages(deps, scope);
  const findings = { ...sight, edges, events, deliveries };
  const clients = await findClients(deps, scope, findings);
  return clients.map((client) => hourOfClient(client, scope.hourMs, findings));
}

/** What can be told of an hour at all, and what its reader ought to know of that. */
interface Sight {
  settledMs: number;
  isSettled: boolean;
  firstReceiptsMs: number;
  hasReceipts: boolean;
  notes: string[];
}

async function findSight(deps: AuditDeps, hourMs: number, untilMs: number): Promise<Sight> {
  const settledMs = await waitUntilSettled(deps.ctx.redis, untilMs, deps.patienceMs).catch((cause: unknown) => {
    throw new AppError("unavailable", "The watermarks are out of reach.", { cause });
  });
  const firstReceiptsMs = await findFirstReceipts(deps.lake);
  const [isSettled, hasReceipts] = [settledMs >= untilMs, hourMs >= firstReceiptsMs];
  const notes: string[] = [];
  if (!isSettled) notes.push(`the consumers have come to ${timeOf(settledMs)} only`);
  if (!hasReceipts) notes.push("there are no receipts of that time");
  else if (hourMs === firstReceiptsMs) notes.push("receipts begin in this hour: what came before them is not judged");
  const { since = "", until = "" } = deps.lostTime ?? {};
  if (Date.parse(since) < hourMs + HOUR_MS && Date.parse(until) > hourMs)
    notes.push(`restored: of what was acknowledged from ${since} to ${until} only what the stream still has is known`);
  return { settledMs, isSettled, firstReceiptsMs, hasReceipts, notes };
}

/** In order. Who has nothing needs no audit; where nobody can tell, that is to be said. */
async function findClients(deps: AuditDeps, scope: Scope, findings: Findings): Promise<string[]> {
  const { edges, events, deliveries, hasReceipts, isSettled } = findings;
  const named = [
    ...edges,
    ...events.counts,
    ...events.differences,
    ...deliveries.counts,
    ...deliveries.differences,
  ].map((one) => one.client_id);
  if (!hasReceipts) named.push(...(await findWriters(deps, scope)));
  if (!isSettled && named.length === 0) named.push(scope.clientId ?? "");
  return [...new Set(named)].toSorted();
}

interface EventFindings {
  counts: EventCounts[];
  differences: Difference[];
  /** All of them, also those that are not listed. */
  unexplained: ReadonlyMap<string, number>;
  /** Ids that wait for the hour's compaction. */
  waiting: ReadonlyMap<string, number>;
  notes: EdgeFindings["notes"];
  acknowledged: EdgeFindings["acknowledged"];
}

const NO_EVENTS: EventFindings = {
  counts: [],
  differences: [],
  unexplained: new Map(),
  waiting: new Map(),
  notes: [],
  acknowledged: new Map(),
};

type EventPass = Pass & { firstReceiptsMs: number };

/** A difference is what two looks have found. */
async function lookTwice(pass: EventPass, edges: readonly EdgeCount[]): Promise<EventFindings> {
  const { connection } = pass;
  let gone = await judgeEvents(pass);
  const [{ found } = { found: 0 }] = await query(connection, "SELECT count(*)::DOUBLE AS found FROM differences");
  if (Number(found) > 0 || gone.length > 0) {
    await connection.run(
      "CREATE OR REPLACE TEMP TABLE first_look AS SELECT kind, client_id, event_id, place FROM differences",
    );
    const paths = new Set(gone.map((file) => file.path));
    await sleep(SECOND_LOOK_AFTER_MS);
    gone = (await judgeEvents(pass)).filter((file) => paths.has(file.path));
    await connection.run(`DELETE FROM differences d WHERE NOT EXISTS (FROM first_look f WHERE f.kind = d.kind AND f.client_id = d.client_id
      AND f.event_id IS NOT DISTINCT FROM d.event_id AND f.place IS NOT DISTINCT FROM d.place)`);
  }
  const waiting = await setWaitingAside(pass);
  const { differences, notes, acknowledged } = await compareEdges(pass, edges);
  const rows = await query(
    connection,
    "SELECT client_id, sum(count)::DOUBLE AS count FROM differences GROUP BY client_id",
  );
  const unexplained = new Map(rows.map((row) => [String(row["client_id"]), Number(row["count"])]));
  for (const { client_id, count } of differences) unexplained.set(client_id, (unexplained.get(client_id) ?? 0) + count);
  const described = await describeDifferences(pass, gone, SHOWN);
  return {
    counts: await countEvents(pass),
    differences: [...differences, ...described, ...gone.map(describeGone)],
    unexplained,
    waiting,
    notes,
    acknowledged,
  };
}

async function setWaitingAside({ connection, hourMs }: Pass): Promise<Map<string, number>> {
  if (hourMs + COMPACTED_AFTER_MS < Date.now()) return new Map();
  const rows = await query(
    connection,
    "SELECT client_id, sum(count)::DOUBLE AS count FROM differences WHERE kind = 'id_twice_in_lake' GROUP BY client_id",
  );
  await connection.run("DELETE FROM differences WHERE kind = 'id_twice_in_lake'");
  return new Map(rows.map((row) => [String(row["client_id"]), Number(row["count"])]));
}

/** Its events are among the missing; this says why. */
function describeGone({ path, client_id, rows }: GoneFile) {
  const last_seen = `lake, ${path}: the book has ${rows} rows of it`;
  return {
    kind: "file_gone" as const,
    client_id,
    count: rows,
    last_seen,
    event_id: null,
    delivery_id: null,
    place: null,
  };
}

interface Findings extends Sight {
  edges: readonly EdgeCount[];
  events: EventFindings;
  deliveries: MessageFindings;
}

/** Whose events came into the lake in that hour, by its book. */
async function findWriters({ ctx }: AuditDeps, { hourMs, clientId }: Scope): Promise<string[]> {
  const [from, to] = [hourMs, hourMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
  const rows = await ctx.db.execute<{ client_id: string }>(sql`
    select distinct client_id from lake_files where created_at >= ${from} and created_at < ${to}
      and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
  return rows.map((row) => row.client_id);
}

function hourOfClient(client_id: string, hourMs: number, findings: Findings): AuditedHour {
  const { edges, events, deliveries, settledMs, isSettled, hasReceipts } = findings;
  const isMine = (one: { client_id: string }) => one.client_id === client_id;
  const counts = events.counts.find(isMine) ?? { received: 0, in_lake: 0, dropped: 0, dead_letters: 0, in_flight: 0 };
  const wrong = deliveries.differences.filter(isMine);
  const unexplained = events.unexplained.get(client_id) ?? 0;
  const differences = [...events.differences.filter(isMine), ...wrong].slice(0, SHOWN);
  const waiting = events.waiting.get(client_id) ?? 0;
  const isWrong = unexplained + wrong.length + differences.length;
  const notes = [...findings.notes, ...events.notes.filter(isMine).map((note) => note.text), ...deliveries.notes];
  if (waiting > 0) notes.push(`${waiting} repetitions are in the lake until the hour is compacted`);
  const endsAtMs = waiting > 0 ? Infinity : hourMs + HOUR_MS;
  return {
    client_id,
    hour: timeOf(hourOf(hourMs)),
    verdict: verdictOf({ endsAtMs, settledMs, unexplained: isWrong, isKnown: isSettled && hasReceipts }),
    settled_at: timeOf(settledMs),
    acknowledged:
      events.acknowledged.get(client_id) ?? edges.filter(isMine).reduce((sum, edge) => sum + edge.acknowledged, 0),
    received: counts.received,
    in_lake: counts.in_lake,
    dropped: counts.dropped,
    dead_letters: counts.dead_letters,
    in_flight: counts.in_flight,
    unexplained,
    deliveries: deliveries.counts.find(isMine)?.deliveries ?? 0,
    unexplained_deliveries: wrong.length,
    details: {
      differences,
      stale: deliveries.stale.filter(isMine),
      notes,
    },
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
