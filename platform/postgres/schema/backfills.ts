import { bigint, boolean, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";

import type { FilePosition } from "../../../core/backfill/record-splitter.ts";
import type { Reject, RejectGroup } from "../../../core/backfill/rejects.ts";
import type { BackfillMapping } from "../../../core/backfill-mapping.ts";
import type { BackfillEnd, BackfillFailure } from "../../../core/contracts/backfill.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

const count = (name: string) => bigint(name, { mode: "number" });

/** One row for each file of history that somebody had loaded: where it lies, how far it has come, and what was refused of it. */
export const backfills = pgTable(
  "backfills",
  {
    /** Also part of the workflow's id, and the name of its folder. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    state: text().notNull().$type<"running" | BackfillEnd>().default("running"),
    /** Nothing is put on the stream: what would be refused, and why. */
    is_dry_run: boolean().notNull(),
    mapping: jsonb().$type<BackfillMapping>().notNull(),
    rate_per_second: integer().notNull(),
    note: text(),
    /** Below the folder that the server may read, as it was asked; null where the file was sent. */
    path: text(),
    /** As its sender named it. */
    file_name: text(),
    file_bytes: count("file_bytes").notNull(),
    /** Whether it is gzip; null until somebody has looked. */
    is_packed: boolean(),
    /** Of what is read: the file itself, or what it unpacks to. */
    data_bytes: count("data_bytes"),
    /** In a Parquet file. */
    data_rows: count("data_rows"),
    data_digest: text(),
    /** When a file that is not ours was last changed, epoch milliseconds: one that changes under a backfill ends it. */
    data_changed_ms: count("data_changed_ms"),
    /** Where it goes on. */
    position: jsonb().$type<FilePosition>().notNull(),
    read: count("read").notNull().default(0),
    accepted: count("accepted").notNull().default(0),
    rejected: count("rejected").notNull().default(0),
    /** The first of them; all are in a file, of which this many bytes count. */
    rejects: jsonb().$type<Reject[]>().notNull().default([]),
    rejects_bytes: count("rejects_bytes").notNull().default(0),
    reject_groups: jsonb().$type<RejectGroup[]>().notNull().default([]),
    failure: jsonb().$type<BackfillFailure>(),
    actor: text().notNull(),
    request_id: text().notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    ended_at: at("ended_at"),
    files_removed_at: at("files_removed_at"),
  },
  (table) => [index("backfills_client").on(table.client_id, table.created_at)],
);
