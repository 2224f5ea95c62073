import { and, desc, eq, gte, lt } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { DAY_MS } from "../core/time.ts";
import { audits } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { isoTime, project, timeSchema } from "./page.ts";

const MAX_HOURS = 24 * 35;
const VERDICTS = ["ok", "open", "difference", "unknown"] as const;

export const listAuditsInput = z.object({
  from: timeSchema.optional().meta({ description: "The first hour; a day ago where it is left out." }),
  to: timeSchema.optional().meta({ description: "Hours that begin before; now where it is left out." }),
});

const count = z.int();
const differenceSchema = z.object({
  kind: z.string(),
  count,
  event_id: z.string().nullable(),
  delivery_id: z.string().nullable(),
  place: z.string().nullable().meta({ description: "Shard, sequence number and index in the stream." }),
  last_seen: z.string(),
});

export const auditSchema = z
  .object({
    hour: timeSchema,
    audited_at: timeSchema,
    settled_at: timeSchema.meta({ description: "What was acknowledged before is judged; the rest is under way." }),
    verdict: z.enum(VERDICTS),
    acknowledged: count,
    received: count,
    in_lake: count,
    dropped: count,
    dead_letters: count,
    in_flight: count,
    unexplained: count,
    deliveries: count,
    unexplained_deliveries: count,
    differences: z.array(differenceSchema).meta({ description: "The first hundred." }),
    notes: z.array(z.string()),
  })
  .meta({ id: "Audit" });

export type Audit = z.infer<typeof auditSchema>;

/** Of each hour the latest audit, newest hour first: whether every event and message of the client's is accounted for. */
export async function listAudits(
  ctx: CrmContext,
  input: z.input<typeof listAuditsInput>,
): Promise<{ audits: Audit[] }> {
  requireScope(ctx, "read");
  const { from, to } = parse(listAuditsInput, input, "request");
  const toMs = to === undefined ? Date.now() : Date.parse(to);
  const fromMs = from === undefined ? toMs - DAY_MS : Date.parse(from);
  const rows = await inTransaction(ctx, (tx) =>
    tx
      .selectDistinctOn([audits.hour])
      .from(audits)
      .where(
        and(
          eq(audits.client_id, ctx.principal.client_id),
          gte(audits.hour, new Date(fromMs).toISOString()),
          lt(audits.hour, new Date(toMs).toISOString()),
        ),
      )
      .orderBy(desc(audits.hour), desc(audits.at))
      .limit(MAX_HOURS),
  );
  return { audits: rows.map(viewAudit) };
}

function viewAudit(row: typeof audits.$inferSelect): Audit {
  const { differences, notes } = row.details;
  const times = { hour: isoTime(row.hour), audited_at: isoTime(row.at), settled_at: isoTime(row.settled_at) };
  return project(auditSchema, {
    ...row,
    ...times,
    notes,
    differences: differences.map((one) => project(differenceSchema, one)),
  });
}
