import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

import type { LetterEvent, LetterKind, LetterOutcome, LetterState, Provenance } from "../../core/dead-letter.ts";
import type { AuditDetails, AuditVerdict } from "../../core/contracts/audit.ts";
import type { Handover } from "../../core/delivery.ts";
import type { Enrichment } from "../../core/enriched-event.ts";
import type { Position } from "../../core/position.ts";

const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const at = (name: string) => timestamp(name, { withTimezone: true, mode: "string" });
const clientId = () =>
  text("client_id")
    .notNull()
    .references((): AnyPgColumn => clients.id);

/** Tenants. Every other table carries `client_id`, and row-level security holds them apart. */
export const clients = pgTable("clients", {
  id: text().primaryKey(),
  name: text().notNull(),
  settings: jsonb().$type<ClientSettings>().notNull().default({}),
  created_at: at("created_at").notNull().defaultNow(),
});

/** What a client may have set for itself; what is missing has a default in `core/client.ts`. */
export interface ClientSettings {
  /** Events accepted at the edge, a second. */
  events_per_second?: number;
  /** Messages a day, by channel. */
  messages_per_day?: Partial<Record<string, number>>;
  /** IANA zone of the client's day, in which daily quotas count; UTC where missing. */
  timezone?: string;
  /** Who messages come from, by channel: an address or an E.164 number. */
  senders?: Partial<Record<string, string>>;
}

/** Keys of machines. Only the SHA-256 of a key is kept; `prefix` is what people recognise it by. */
export const apiKeys = pgTable(
  "api_keys",
  {
    id: uuid().primaryKey().defaultRandom(),
    client_id: clientId(),
    key_hash: text().notNull(),
    prefix: text().notNull(),
    scopes: text().array().notNull().$type<("ingest" | "read" | "admin" | "operator")[]>(),
    created_at: at("created_at").notNull().defaultNow(),
    revoked_at: at("revoked_at"),
  },
  (table) => [uniqueIndex("api_keys_hash").on(table.key_hash), index("api_keys_client").on(table.client_id)],
);

/** People who can be written to. `person_key` is the user store's key: `user:…` or `anon:…`. */
export const contacts = pgTable(
  "contacts",
  {
    id: uuid().primaryKey(),
    client_id: clientId(),
    person_key: text().notNull(),
    user_id: text(),
    email: text(),
    phone: text(),
    name: text(),
    push_token: text(),
    locale: text(),
    timezone: text(),
    attributes: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    source: text().notNull().default("event"),
    /** The latest event whose traits are merged in: a later replay of an earlier one changes nothing. */
    traits_at: at("traits_at").notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("contacts_person").on(table.client_id, table.person_key),
    index("contacts_email").on(table.client_id, table.email),
    index("contacts_phone").on(table.client_id, table.phone),
  ],
);

export const campaigns = pgTable(
  "campaigns",
  {
    client_id: clientId(),
    id: text().notNull(),
    name: text().notNull(),
    state: text().notNull().$type<"draft" | "active" | "paused" | "archived">(),
    /** The campaign JSON as it was sent, of the draft that the next publish takes. */
    draft: jsonb().notNull(),
    /** The version that new entries run; null until the first publish. */
    current_version: integer(),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.id] })],
);

/** Published versions: never changed, never deleted while a run refers to them. */
export const campaignVersions = pgTable(
  "campaign_versions",
  {
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    /** SHA-256 of the journey's canonical JSON. */
    hash: text().notNull(),
    source: jsonb().notNull(),
    journey: jsonb().notNull(),
    published_at: at("published_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.client_id, table.campaign_id, table.version] }),
    foreignKey({ columns: [table.client_id, table.campaign_id], foreignColumns: [campaigns.client_id, campaigns.id] }),
  ],
);

/**
 * One row for each time a person entered a journey: the projection that people and the delivery ledger read. The row is
 * written before the workflow is started; `state` is what a reservation of a message checks.
 */
export const journeyRuns = pgTable(
  "journey_runs",
  {
    /** UUIDv5 of workflow id and entry event. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    workflow_id: text().notNull(),
    person_key: text().notNull(),
    /** All keys the person was known by, so that an event under any of them finds the run. */
    person_keys: text().array().notNull(),
    /** The cart or order the run is about; empty where there is none. */
    entry_key: text().notNull().default(""),
    entry_event_id: text().notNull(),
    /** The entry event's type and props as far as a message may speak of them; at most 8 KiB, else empty. */
    entry_event_type: text().notNull().default(""),
    entry_props: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    request_id: text().notNull(),
    /** `held` waits for a paused campaign. Only `active` may send. */
    state: text().notNull().$type<"active" | "held" | "completed" | "stopped" | "failed">().default("active"),
    /** Why it ended or is held: `purchase`, `exit`, `campaign_paused`, … */
    reason: text(),
    stopped_by_event_id: text(),
    node_id: text(),
    entered_at: at("entered_at").notNull(),
    created_at: at("created_at").notNull().defaultNow(),
    /** Null until Temporal has acknowledged the start. */
    started_at: at("started_at"),
    ended_at: at("ended_at"),
  },
  (table) => [
    index("journey_runs_campaign").on(table.client_id, table.campaign_id, table.entered_at),
    index("journey_runs_workflow").on(table.client_id, table.workflow_id),
    /** Re-entry: at most one open run of a person, journey and key (the workflow id is made of the three). */
    uniqueIndex("journey_runs_open_workflow")
      .on(table.workflow_id)
      .where(sql`state in ('active', 'held')`),
    /** What Temporal has still to be told: a start, or a stop. */
    index("journey_runs_unsettled")
      .on(table.created_at)
      .where(sql`(state in ('active', 'held') and started_at is null) or (state = 'stopped' and ended_at is null)`),
    index("journey_runs_open_keys")
      .using("gin", table.person_keys)
      // Entries waiting to be merged would be read by every search: milliseconds each, thousands of times a second.
      .with({ fastupdate: false })
      .where(sql`state in ('active', 'held')`),
  ],
);

/** The delivery ledger: one row for each message that was to be sent, whatever became of it. */
export const deliveries = pgTable(
  "deliveries",
  {
    /** UUIDv5 of run and node: the same message can only ever be this row. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    campaign_id: text().notNull(),
    version: integer().notNull(),
    run_id: uuid()
      .notNull()
      .references(() => journeyRuns.id),
    node_id: text().notNull(),
    person_key: text().notNull(),
    contact_id: uuid(),
    channel: text().notNull().$type<"email" | "sms" | "whatsapp" | "push">(),
    template: text().notNull(),
    /** `skipped`: never handed to a provider, for the reason given. `unknown`: handed over, answer lost. */
    state: text()
      .notNull()
      .$type<"reserved" | "submitting" | "submitted" | "delivered" | "failed" | "unknown" | "skipped">(),
    reason: text(),
    provider: text(),
    provider_message_id: text(),
    /** What was handed to the provider, as far as asking it later needs to know: see `core/delivery.ts`. */
    handover: jsonb().$type<Handover>(),
    attempts: integer().notNull().default(0),
    /** What has happened and has not yet been put on the stream as `campaign_delivery`. */
    unannounced: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    request_id: text().notNull(),
    opened_at: at("opened_at"),
    clicked_at: at("clicked_at"),
    /** `[{state, at, reason?}]`, oldest first. */
    history: jsonb().$type<{ state: string; at: string; reason?: string }[]>().notNull().default([]),
    created_at: at("created_at").notNull().defaultNow(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("deliveries_run_node").on(table.run_id, table.node_id),
    index("deliveries_campaign").on(table.client_id, table.campaign_id, table.created_at),
    index("deliveries_provider").on(table.provider, table.provider_message_id),
    index("deliveries_unannounced")
      .on(table.updated_at)
      .where(sql`unannounced <> '{}'`),
    index("deliveries_unsettled")
      .on(table.updated_at)
      .where(sql`state in ('reserved', 'submitting', 'unknown')`),
  ],
);

export const templates = pgTable(
  "templates",
  {
    client_id: clientId(),
    channel: text().notNull(),
    name: text().notNull(),
    subject: text(),
    /** Liquid. HTML for e-mail, plain text elsewhere. */
    body: text().notNull(),
    /** WhatsApp: the template that Meta has approved, and its variables (each Liquid). */
    content_sid: text(),
    content_variables: jsonb().$type<Record<string, string>>(),
    updated_at: at("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.client_id, table.channel, table.name] })],
);

/** What happened to a contact, for people to read. */
export const activities = pgTable(
  "activities",
  {
    /** Deterministic, so that a webhook told twice is one activity. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    contact_id: uuid(),
    person_key: text().notNull(),
    type: text().notNull(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    ts: at("ts").notNull(),
  },
  (table) => [index("activities_contact").on(table.client_id, table.contact_id, table.ts)],
);

/** Events that could not be processed: kept whole, with where and why, until someone replays or discards them. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    /** UUIDv5 of stage and source position. */
    id: uuid().primaryKey(),
    /** Null where the client itself could not be read. No foreign key: a dead letter must always find a place. */
    client_id: text(),
    stage: text().notNull(),
    reason: text().notNull(),
    event_id: text(),
    payload: bytea().notNull(),
    source_shard: text().notNull(),
    source_sequence: text().notNull(),
    source_index: integer().notNull(),
    attempts: integer().notNull(),
    /** Whether the event is wrong or something was away: `kindOf`, when the letter was written. */
    kind: text().notNull().$type<LetterKind>().default("poison"),
    event_type: text(),
    provenance: jsonb().$type<Provenance>(),
    /** Of an event that failed after it had been enriched: what it takes to go back to where it failed. */
    enrichment: jsonb().$type<Enrichment>(),
    history: jsonb().$type<LetterEvent[]>().notNull().default([]),
    state: text().notNull().$type<LetterState>().default("open"),
    outcome: text().$type<LetterOutcome>(),
    /** The letter whose replay failed and became this one. */
    replay_of: uuid(),
    /** The last replay that took it up, and where that put it. */
    replay_id: uuid(),
    replay_place: jsonb().$type<Position>(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [
    index("dead_letters_open").on(table.client_id, table.stage, table.created_at),
    index("dead_letters_state").on(table.client_id, table.state, table.created_at),
    index("dead_letters_replay")
      .on(table.replay_id)
      .where(sql`replay_id is not null`),
    index("dead_letters_replay_of")
      .on(table.replay_of)
      .where(sql`replay_of is not null`),
  ],
);

/** One row for each replay that somebody asked for: which letters, what was changed in them, and what became of it. */
export const deadLetterReplays = pgTable(
  "dead_letter_replays",
  {
    /** Also part of the workflow's id: asking twice under one id is asking once. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    /** Which letters, as it was asked. */
    selection: jsonb().notNull(),
    patch: jsonb(),
    rate_per_second: integer().notNull(),
    note: text(),
    actor: text().notNull(),
    request_id: text().notNull(),
    state: text().notNull().$type<"running" | "done" | "cancelled">().default("running"),
    /** Written when it ends; its workflow tells until then. */
    counts: jsonb().$type<Record<string, number>>(),
    created_at: at("created_at").notNull().defaultNow(),
    ended_at: at("ended_at"),
  },
  (table) => [index("dead_letter_replays_client").on(table.client_id, table.created_at)],
);

/** Events that were left out on purpose (duplicates above all): one row each, so that nothing vanishes unexplained. */
export const droppedEvents = pgTable(
  "dropped_events",
  {
    source_sequence: text().notNull(),
    source_index: integer().notNull(),
    source_shard: text().notNull(),
    client_id: text().notNull(),
    event_id: text().notNull(),
    stage: text().notNull(),
    reason: text().notNull(),
    received_at: at("received_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.source_sequence, table.source_index, table.source_shard] }),
    index("dropped_events_client").on(table.client_id, table.received_at),
  ],
);

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

/** Live counters by client, minute and event type live in the user store; this is the lake's own book of files. */
export const lakeFiles = pgTable(
  "lake_files",
  {
    path: text().primaryKey(),
    client_id: text().notNull(),
    partition: text().notNull(),
    rows: bigint({ mode: "number" }).notNull(),
    bytes: bigint({ mode: "number" }).notNull(),
    /** The file that took this one in, once compacted. */
    compacted_into: text(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [index("lake_files_partition").on(table.client_id, table.partition)],
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
