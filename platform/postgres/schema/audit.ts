import { bigint, boolean, index, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";

import type { AuditDetails, AuditVerdict } from "../../../core/contracts/audit.ts";
import { clientId } from "./client-id.ts";
import { at } from "./columns.ts";

/** Who changed what: one row for each change that a person or a machine asked for, written with the change itself. */
export const auditLog = pgTable(
  "audit_log",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    client_id: clientId(),
    /** `key:<prefix of the API key>`, or the part of Livora that did it. */
    actor: text().notNull(),
    /** The verb: `campaign.publish`. */
    action: text().notNull(),
    /** What it was done to, as `<kind>:<id>`. Never an address or a name. */
    subject: text().notNull(),
    details: jsonb().$type<Record<string, string | number | boolean | null>>().notNull().default({}),
    request_id: text().notNull(),
    at: at("at").notNull().defaultNow(),
  },
  (table) => [index("audit_log_client").on(table.client_id, table.at)],
);

/**
 * What each edge process has answered 202 to, by client and hour of receipt: what the stream must hold. Written every second
 * with the whole count, so a repeated write changes nothing. `client_id` has no foreign key: counting must never fail.
 */
export const edgeCounts = pgTable(
  "edge_counts",
  {
    /** The process: new with each start. */
    edge: text().notNull(),
    client_id: text().notNull(),
    hour: at("hour").notNull(),
    acknowledged: bigint({ mode: "number" }).notNull(),
    /** Events of requests answered 503 while they were on their way: the stream may hold them, or not. */
    unsure: bigint({ mode: "number" }).notNull(),
    /** The process counts no more for this hour. False for good where it was killed: then it ends at `flushed_at`. */
    final: boolean().notNull(),
    flushed_at: at("flushed_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.edge, table.client_id, table.hour] }),
    index("edge_counts_hour").on(table.hour, table.client_id),
  ],
);

/** What each audit of a client's hour found; the latest counts. An empty `client_id`: events whose client cannot be read. */
export const audits = pgTable(
  "audits",
  {
    id: uuid().primaryKey().defaultRandom(),
    client_id: text().notNull(),
    hour: at("hour").notNull(),
    at: at("at").notNull(),
    /** What the edge acknowledged before this is judged; later events are under way. */
    settled_at: at("settled_at").notNull(),
    verdict: text().notNull().$type<AuditVerdict>(),
    acknowledged: bigint({ mode: "number" }).notNull(),
    received: bigint({ mode: "number" }).notNull(),
    in_lake: bigint({ mode: "number" }).notNull(),
    dropped: bigint({ mode: "number" }).notNull(),
    dead_letters: bigint({ mode: "number" }).notNull(),
    in_flight: bigint({ mode: "number" }).notNull(),
    unexplained: bigint({ mode: "number" }).notNull(),
    deliveries: bigint({ mode: "number" }).notNull(),
    unexplained_deliveries: bigint({ mode: "number" }).notNull(),
    details: jsonb().$type<AuditDetails>().notNull(),
  },
  (table) => [index("audits_hour").on(table.client_id, table.hour, table.at)],
);
