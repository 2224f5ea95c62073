import { and, asc, eq, gte, sql } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { findIncompatibilities } from "../core/event-schema/compatibility.ts";
import { asPropsSchema, findSchemaFaults } from "../core/event-schema/read-schema.ts";
import type { PropsSchema } from "../core/event-schema/schema.ts";
import { hashDefinition } from "../core/journey/hash.ts";
import { parse } from "../core/parse.ts";
import { eventSchemas, eventSchemaVersions } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { eventTypeSchema, inForceFrom, jsonSchemaSchema } from "./event-schema.ts";
import { type EventSchemaRow, findEventSchema, isEventSchema, requireEventSchema } from "./find-event-schema.ts";
import { isoTime, timeSchema } from "./page.ts";

export const registerEventSchemaBody = z
  .strictObject({
    schema: jsonSchemaSchema,
    note: z.string().max(1_000).optional().meta({ description: "What it is for, for people." }),
  })
  .meta({ id: "NewEventSchemaVersion" });

export const registerEventSchemaInput = z.object({
  event_type: eventTypeSchema,
  dry_run: z.enum(["true", "false"]).default("false").meta({ description: "Say what would be, and change nothing." }),
});

export const registeredEventSchemaSchema = z
  .object({
    event_type: z.string(),
    version: z.int().meta({ description: "The version that it is, or would be." }),
    unchanged: z.boolean().meta({ description: "It is the latest version already; no new one was made." }),
    dry_run: z.boolean(),
    compatible: z.boolean().meta({ description: "False only in a dry run: otherwise that is a 409." }),
    breaking_changes: z.array(z.object({ path: z.string(), reason: z.string() })),
    in_force_from: timeSchema.nullable().meta({ description: "Events received from then on are held to it." }),
  })
  .meta({ id: "RegisteredEventSchema" });
export type RegisteredEventSchema = z.infer<typeof registeredEventSchemaSchema>;

/** Each new version is compared with all of its line. */
const MAX_VERSIONS = 500;

type Body = z.input<typeof registerEventSchemaBody>;

/**
 * The next version of what an event type's `props` are. Sent again, the latest makes none. Throws `invalid` for what is no schema of ours,
 * and `conflict`, naming each breaking change, for one that is not compatible as the type's setting demands.
 */
export async function registerEventSchema(
  ctx: CrmContext,
  input: z.input<typeof registerEventSchemaInput>,
  body: Body,
): Promise<RegisteredEventSchema> {
  requireScope(ctx, "admin");
  const { event_type, dry_run } = parse(registerEventSchemaInput, input, "request");
  const { schema: sent, note = null } = parse(registerEventSchemaBody, body, "body");
  const faults = findSchemaFaults(sent).map(({ path, reason }) => ({ path: `/schema${path}`, reason }));
  if (faults.length > 0) throw new AppError("invalid", "The schema is not one that is taken here.", { faults });
  const key = { client_id: ctx.principal.client_id, event_type };
  const isDryRun = dry_run === "true";
  return inTransaction(ctx, async (tx) => {
    const before = isDryRun ? await findEventSchema(tx, key) : await lockOrBegin(tx, key);
    const judged = await judge(tx, before, { key, schema: asPropsSchema(sent), isDryRun });
    if (isDryRun || judged.answer.unchanged) return judged.answer;
    if (!judged.answer.compatible) {
      const detail = "The schema is not compatible with the versions before it.";
      throw new AppError("conflict", detail, { faults: judged.answer.breaking_changes });
    }
    const { version } = judged.answer;
    const [made] = await tx
      .insert(eventSchemaVersions)
      .values({ ...key, version, ...judged.row, in_force_from: inForceFrom, note, actor: ctx.principal.actor })
      .returning();
    const change = { current_version: version, changed_at: sql`clock_timestamp()` };
    await tx.update(eventSchemas).set(change).where(isEventSchema(key));
    const details = { version, hash: judged.row.hash };
    await writeAudit(ctx, tx, { action: "schema.register", subject: `schema:${event_type}`, details });
    return { ...judged.answer, in_force_from: isoTime(made!.in_force_from) };
  });
}

type Key = Pick<EventSchemaRow, "client_id" | "event_type">;

/** The first version's row is there before the version: so two who send the first at once wait for each other. */
async function lockOrBegin(tx: Transaction, key: Key): Promise<EventSchemaRow> {
  const begun = { current_version: 0, mode: "observe", mode_before: "observe", compatibility: "backward" } as const;
  await tx
    .insert(eventSchemas)
    .values({ ...key, ...begun, mode_from: sql`now()` })
    .onConflictDoNothing();
  return requireEventSchema(tx, key, true);
}

async function judge(
  tx: Transaction,
  before: EventSchemaRow | undefined,
  { key, schema, isDryRun }: { key: Key; schema: PropsSchema; isDryRun: boolean },
) {
  const { current_version = 0, compatibility = "backward" } = before ?? {};
  const line = await readLine(tx, key, current_version);
  const hash = hashDefinition(schema);
  const latest = line.at(-1);
  const unchanged = latest?.hash === hash;
  if (!unchanged && current_version >= MAX_VERSIONS) {
    throw new AppError("conflict", `There are ${MAX_VERSIONS} versions already.`);
  }
  const breaking_changes = unchanged ? [] : findIncompatibilities(schema, line, compatibility);
  const version = unchanged ? current_version : current_version + 1;
  const compatible_from = compatibility === "none" ? version : (latest?.compatible_from ?? version);
  const answer: RegisteredEventSchema = {
    event_type: key.event_type,
    version,
    unchanged,
    dry_run: isDryRun,
    compatible: breaking_changes.length === 0,
    breaking_changes,
    in_force_from: unchanged && latest ? isoTime(latest.in_force_from) : null,
  };
  return { answer, row: { schema, hash, compatibility, compatible_from } };
}

/** The latest version, and those before it that it was compatible with; oldest first. */
async function readLine(tx: Transaction, key: Key, current: number) {
  const { client_id, event_type, version } = eventSchemaVersions;
  const isOfType = and(eq(client_id, key.client_id), eq(event_type, key.event_type));
  const first = tx
    .select({ from: eventSchemaVersions.compatible_from })
    .from(eventSchemaVersions)
    .where(and(isOfType, eq(version, current)));
  return tx
    .select()
    .from(eventSchemaVersions)
    .where(and(isOfType, gte(version, first)))
    .orderBy(asc(version));
}
