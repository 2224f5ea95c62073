import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { pipelineIdSchema, STAGE_KINDS, stageKeySchema } from "../core/pipeline/pipeline.ts";
import { deals, pipelineStages } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Deal, type DealRow, selectDeals, viewDeal } from "./deal.ts";
import { contactIdSchema, findContact } from "./find-contact.ts";
import { type Page, pageInput } from "./page.ts";

/** By what deals are sorted, and as which type PostgreSQL compares it. What a deal lacks comes first of all. */
const SORTS = {
  created_at: { value: sql`${deals.created_at}`, type: sql.raw("timestamptz") },
  updated_at: { value: sql`${deals.updated_at}`, type: sql.raw("timestamptz") },
  amount_minor: { value: sql`coalesce(${deals.amount_minor}, -1)`, type: sql.raw("bigint") },
  expected_close: { value: sql`coalesce(${deals.expected_close}, '0001-01-01'::date)`, type: sql.raw("date") },
};
type SortName = keyof typeof SORTS;
const SORT_NAMES = Object.keys(SORTS) as SortName[];

export const listDealsInput = z.object({
  ...pageInput,
  pipeline_id: pipelineIdSchema.optional(),
  stage: stageKeySchema.optional(),
  kind: z.enum(STAGE_KINDS).optional().meta({ description: "Of the stage: `open` is what is not won or lost yet." }),
  owner: z.string().min(1).max(200).optional(),
  contact: contactIdSchema.optional(),
  company: z.guid().optional(),
  sort: z
    .enum([...SORT_NAMES, ...SORT_NAMES.map((name) => `-${name}` as const)])
    .default("-created_at")
    .meta({ description: "With a minus the greatest, or latest, comes first." }),
});

type Query = z.output<typeof listDealsInput>;
const placeSchema = z.object({ sort: z.string(), value: z.string().max(64), id: z.guid() });
type Place = z.infer<typeof placeSchema>;

/** Deals by any of what they are asked for. */
export async function listDeals(ctx: CrmContext, input: z.input<typeof listDealsInput>): Promise<Page<"deals", Deal>> {
  requireScope(ctx, "read");
  const query = parse(listDealsInput, input, "request");
  const { name, value, isDescending } = readSort(query.sort);
  const rows = await inTransaction(ctx, async (tx) => {
    const where = and(await filterOf(tx, ctx.principal.client_id, query), isAfter(query));
    const order = isDescending ? desc : asc;
    return selectDeals(tx, ctx.principal.client_id, where)
      .orderBy(order(value), order(deals.id))
      .limit(query.limit + 1);
  });
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const next_cursor = rows.length > query.limit && last ? encode(placeOf(query.sort, name, last.deal)) : null;
  return { deals: shown.map(({ deal, kind }) => viewDeal(deal, kind)), next_cursor };
}

function readSort(sort: Query["sort"]) {
  const isDescending = sort.startsWith("-");
  const name = (isDescending ? sort.slice(1) : sort) as SortName;
  return { ...SORTS[name], name, isDescending };
}

async function filterOf(tx: Transaction, clientId: string, query: Query): Promise<SQL | undefined> {
  const { pipeline_id, stage, kind, owner, contact, company } = query;
  return and(
    pipeline_id === undefined ? undefined : eq(deals.pipeline_id, pipeline_id),
    stage === undefined ? undefined : eq(deals.stage, stage),
    kind && eq(pipelineStages.kind, kind),
    owner === undefined ? undefined : eq(deals.owner, owner),
    company === undefined ? undefined : eq(deals.company_id, company),
    contact === undefined ? undefined : eq(deals.contact_id, (await findContact(tx, clientId, contact)).id),
  );
}

function isAfter({ sort, cursor }: Query): SQL | undefined {
  if (cursor === undefined) return undefined;
  const place = decode(cursor, sort);
  const { value, type, isDescending } = readSort(sort);
  const comparison = sql.raw(isDescending ? "<" : ">");
  return sql`(${value}, ${deals.id}) ${comparison} (${place.value}::${type}, ${place.id}::uuid)`;
}

function placeOf(sort: Query["sort"], name: SortName, deal: DealRow): Place {
  const missing = name === "amount_minor" ? "-1" : "0001-01-01";
  return { sort, value: String(deal[name] ?? missing), id: deal.id };
}

function encode(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function decode(cursor: string, sort: string): Place {
  try {
    const place = placeSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    if (place.sort !== sort) throw new Error("it is of a list that was sorted otherwise");
    return place;
  } catch (error) {
    const faults = [{ path: "/cursor", reason: "is not a cursor that this list gave out" }];
    throw new AppError("invalid", "The query is not valid.", { faults, cause: error });
  }
}
