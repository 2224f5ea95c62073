import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";

import type { EtlCheck, EtlProgress, EtlRunState } from "../../../core/contracts/etl.ts";
import type { PartitionCheck } from "../../../core/etl-check.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/**
 * The curated lake's book: for each client and hour of the raw lake, what its curated file was built from. Versions count up; a file
 * is there under its version's name, and which one counts is said here.
 */
export const etlPartitions = pgTable(
  "etl_partitions",
  {
    client_id: text().notNull(),
    /** The raw lake's: `raw/events/client=demo/dt=2026-11-21/hour=10`. */
    partition: text().notNull(),
    /** SHA-256 of the names of the files that came from the stream, of which the ids were read. Compacted files are no news. */
    ids_digest: text().notNull().default(""),
    ids_version: integer().notNull().default(0),
    /** How many of them there were. */
    files: integer().notNull().default(0),
    /** Whether other hours have the same ids has been looked into. */
    is_settled: boolean().notNull().default(false),
    /** Another hour has taken events from it, or given some back. */
    is_disturbed: boolean().notNull().default(false),
    /** `ids_digest` as it was when the curated file was built; empty where there is none. */
    built_digest: text().notNull().default(""),
    version: integer().notNull().default(0),
    /** Counts up when devices seen in it turn out to be somebody else's. */
    people_version: integer().notNull().default(0),
    raw_rows: bigint({ mode: "number" }).notNull().default(0),
    curated_rows: bigint({ mode: "number" }).notNull().default(0),
    repeated_rows: bigint({ mode: "number" }).notNull().default(0),
    rejected_rows: bigint({ mode: "number" }).notNull().default(0),
    /** `held`: a check has failed, and what was built before, if anything, still counts. */
    state: text().notNull().$type<"pending" | "built" | "held">().default("pending"),
    checks: jsonb().$type<PartitionCheck[]>().notNull().default([]),
    built_at: at("built_at"),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.partition] })],
);

/** What there is once for each client: which files of all its hours count. */
export const etlClients = pgTable("etl_clients", {
  client_id: text().primaryKey(),
  repeats_version: integer().notNull().default(0),
  links_version: integer().notNull().default(0),
  /** The last run that came to its end: everything that had come in before it began is in the aggregates. */
  as_of: at("as_of"),
});

export const etlRuns = pgTable(
  "etl_runs",
  {
    id: uuid().primaryKey(),
    client_id: clientId(),
    workflow_id: text().notNull(),
    start_at: at("start_at"),
    end_at: at("end_at"),
    /** Also what is up to date. */
    rebuild: boolean().notNull().default(false),
    state: text().notNull().$type<Exclude<EtlRunState, "paused">>().default("running"),
    progress: jsonb().$type<EtlProgress>().notNull(),
    checks: jsonb().$type<EtlCheck[]>().notNull().default([]),
    /** Who asked for it: `key:<prefix>`, or `schedule`. */
    actor: text().notNull(),
    request_id: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    ended_at: at("ended_at"),
  },
  (table) => [index("etl_runs_client").on(table.client_id, table.created_at)],
);
