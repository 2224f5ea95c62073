import postgres from "postgres";

import { type Evidence, type LakeRow } from "./oracle-events.ts";
import type { OutboxMessage } from "./oracle-messages.ts";
import { queryLake } from "./lake-reader.ts";

/** Where the evidence lies. */
export interface EvidenceSources {
  client_id: string;
  /** The lake's folder. */
  lake: string;
  /** Base URL. */
  outbox: string;
  postgres: string;
}

/** What the system says became of a client's events, read past all of its services. */
export async function gatherEvidence(sources: EvidenceSources): Promise<Evidence> {
  const [lake, { deadLetters, dropped }] = await Promise.all([readLake(sources), readExplanations(sources)]);
  return { lake, deadLetters, dropped };
}

async function readLake({ lake, client_id }: EvidenceSources): Promise<LakeRow[]> {
  const columns = 'event_id, session_id, event_type, raw, source_sequence AS sequence, source_index AS "index"';
  const rows = await queryLake(lake, `SELECT ${columns} FROM events`, client_id);
  return rows.map((row) => ({
    event_id: String(row["event_id"]),
    session_id: String(row["session_id"]),
    event_type: String(row["event_type"]),
    raw: String(row["raw"]),
    sequence: String(row["sequence"]),
    index: Number(row["index"]),
  }));
}

async function readExplanations({ postgres: url, client_id }: EvidenceSources): Promise<Omit<Evidence, "lake">> {
  return withPostgres(url, async (sql) => ({
    // Those whose client could not be read belong to whoever looks.
    deadLetters: await sql<Evidence["deadLetters"]>`
      select event_id, stage, reason from dead_letters where client_id = ${client_id} or client_id is null`,
    dropped: await sql<Evidence["dropped"]>`
      select event_id, stage, reason from dropped_events where client_id = ${client_id}`,
  }));
}

/** How much is still under way: runs that have not ended, messages whose fate is open. */
export async function countUnderWay({
  postgres: url,
  client_id,
}: EvidenceSources): Promise<{ runs: number; deliveries: number }> {
  return withPostgres(url, async (sql) => {
    const [row] = await sql<{ runs: number; deliveries: number }[]>`
      select
        (select count(*)::int from journey_runs where client_id = ${client_id} and state in ('active', 'held')) as runs,
        (select count(*)::int from deliveries where client_id = ${client_id}
          and state in ('reserved', 'submitting', 'unknown')) as deliveries`;
    return { runs: row?.runs ?? 0, deliveries: row?.deliveries ?? 0 };
  });
}

/** All messages that arrived at the sandbox, or those to one address. */
export async function readOutbox(
  outbox: string,
  query: Partial<Record<"to" | "channel" | "since", string>> = {},
): Promise<OutboxMessage[]> {
  const response = await fetch(`${outbox}/messages?${new URLSearchParams(query)}`, {
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the outbox answered ${response.status}`);
  return (await response.json()) as OutboxMessage[];
}

/** One connection, as owner, for one piece of work. */
export async function withPostgres<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
