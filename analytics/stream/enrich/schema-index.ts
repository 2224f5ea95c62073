import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";

import { compileSchema } from "../../../core/event-schema/compile.ts";
import type { RegisteredSchema } from "../../../core/event-schema/registered-schema.ts";
import type { Context } from "../../../platform/context.ts";
import { eventSchemas, eventSchemaVersions } from "../../../platform/postgres/schema.ts";
import { withTimeout } from "../../../platform/with-timeout.ts";

/** What is new counts from five seconds after it was made (`inForceFrom`): so everyone has heard of it by then. */
const MAX_AGE_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 1_000;
/** Of the first, which reads them all. */
const FIRST_TIMEOUT_MS = 30_000;
/** Where the database does not answer what was read before goes on; nobody waits for it each time. */
const RETRY_AFTER_MS = 5_000;
/** A change may be seen so much later than its `changed_at` says: when its transaction is over. */
const OVERLAP = sql`interval '1 minute'`;
/** The stream keeps events for seven days: older versions judge none. */
const LOOK_BACK = sql`interval '8 days'`;

export interface SchemaIndex {
  /**
   * Makes sure that what is known is a second old at the most; with `isNow`, that it was read after this call began. Throws
   * only where PostgreSQL is away and nothing has been read yet.
   */
  refresh(isNow: boolean): Promise<void>;
  find(clientId: string, eventType: string): RegisteredSchema | undefined;
}

/** All registered schemas, compiled, each change read once. */
export function createSchemaIndex({ db, log }: Pick<Context, "db" | "log">): SchemaIndex {
  const clients = new Map<string, Map<string, RegisteredSchema>>();
  let changedUpTo: string | null = null;
  let readTickMs = -Infinity;
  let retryTickMs = -Infinity;
  let reading: Promise<void> | null = null;

  async function read(): Promise<void> {
    const startedTickMs = performance.now();
    try {
      const timeoutMs = changedUpTo === null ? FIRST_TIMEOUT_MS : STATEMENT_TIMEOUT_MS;
      const rows = await withTimeout(() => selectChanged(db, changedUpTo), timeoutMs, "PostgreSQL");
      for (const [clientId, eventType, schema] of compileRows(rows)) {
        const types = clients.get(clientId) ?? new Map<string, RegisteredSchema>();
        clients.set(clientId, types.set(eventType, schema));
      }
      changedUpTo = rows.reduce(
        (latest, row) => (latest < row.changed_at ? row.changed_at : latest),
        changedUpTo ?? "",
      );
      readTickMs = startedTickMs;
    } catch (error) {
      if (changedUpTo === null) throw error;
      retryTickMs = startedTickMs + RETRY_AFTER_MS;
      log.warn({ err: error instanceof Error ? error.message : String(error) }, "schemas not refreshed");
    }
  }

  const readOnce = () => (reading ??= read().finally(() => (reading = null)));

  return {
    async refresh(isNow) {
      const now = performance.now();
      const isKnown = changedUpTo !== null;
      if (isKnown && (now < retryTickMs || (!isNow && now - readTickMs < MAX_AGE_MS))) return;
      // One that is under way may have begun too early.
      if (isNow && reading) await reading;
      await readOnce();
    },
    find: (clientId, eventType) => clients.get(clientId)?.get(eventType),
  };
}

type Row = Awaited<ReturnType<typeof selectChanged>>[number];

function selectChanged(db: Context["db"], since: string | null) {
  const { client_id, event_type, version, schema, in_force_from } = eventSchemaVersions;
  const next = alias(eventSchemaVersions, "next");
  const isOfType = and(eq(client_id, eventSchemas.client_id), eq(event_type, eventSchemas.event_type));
  const isNext = and(
    eq(next.client_id, client_id),
    eq(next.event_type, event_type),
    eq(next.version, sql`${version} + 1`),
  );
  const isRecent = or(isNull(next.in_force_from), gt(next.in_force_from, sql`now() - ${LOOK_BACK}`));
  const isChanged = since ? gt(eventSchemas.changed_at, sql`${since}::timestamptz - ${OVERLAP}`) : undefined;
  // Finer than a JavaScript date, and in the order of its text.
  const changed_at = sql<string>`to_char(${eventSchemas.changed_at} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')`;
  const { mode, mode_from, mode_before } = eventSchemas;
  return db
    .select({ client_id, event_type, mode, mode_from, mode_before, changed_at, version, schema, in_force_from })
    .from(eventSchemas)
    .innerJoin(eventSchemaVersions, isOfType)
    .leftJoin(next, isNext)
    .where(and(isChanged, isRecent))
    .orderBy(client_id, event_type, version);
}

/** A schema that no event of its type comes for is never compiled. */
function compileRows(rows: readonly Row[]): [clientId: string, eventType: string, schema: RegisteredSchema][] {
  const byType = Map.groupBy(rows, (row) => `${row.client_id}\n${row.event_type}`);
  return [...byType.values()].flatMap((ofType) => {
    const [first] = ofType;
    if (first === undefined) return [];
    const versions = ofType.map(({ version, schema, in_force_from }) => {
      let check: ReturnType<typeof compileSchema> | undefined;
      return {
        version,
        inForceFromMs: Date.parse(in_force_from),
        check: (props: unknown) => (check ??= compileSchema(schema, ["props"]))(props),
      };
    });
    const { mode, mode_before: modeBefore, mode_from } = first;
    return [[first.client_id, first.event_type, { versions, mode, modeBefore, modeFromMs: Date.parse(mode_from) }]];
  });
}
