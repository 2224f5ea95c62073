import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../../core/errors.ts";
import { builds } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";

/** Of an aggregate that is not of days. */
const NO_DAY = "0001-01-01";

export const sourcesInput = z.object({
  aggregate: z
    .string()
    .regex(/^[\w.:-]{1,200}$/, "is not an aggregate's name")
    .meta({ description: "Its table: `product_performance_daily`." }),
  date: z.iso
    .date()
    .refine((day) => day >= "1900-01-01", "must not be before 1900")
    .optional()
    .meta({ description: "The client's day that the figure is of; left out where the aggregate is not of days." }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many hours at the most." }),
  cursor: z
    .string()
    .max(512)
    .optional()
    .meta({ description: "`next_cursor` of the page before: hours after this one." }),
});

const count = z.number().int().min(0);

const checkSchema = z.object({
  check: z.string(),
  ok: z.boolean(),
  holds: z.boolean().meta({ description: "It keeps the hour from being replaced." }),
  rows: z.number(),
  detail: z.string(),
});

const hourSchema = z.object({
  partition: z.string().meta({ description: "Of the raw lake." }),
  version: count.meta({ description: "Of the curated file that the figure was made from." }),
  is_current: z.boolean().meta({ description: "That version is still the one that counts." }),
  state: z.enum(["pending", "built", "held"]).nullable(),
  built_at: z.iso.datetime().nullable(),
  raw_rows: count,
  curated_rows: count,
  repeated_rows: count,
  rejected_rows: count,
  checks: z.array(checkSchema),
  files: z.array(z.object({ path: z.string(), rows: count, bytes: count })).meta({
    description: "Raw files of the hour, below the lake's root. Those that were merged into one of these are left out.",
  }),
});

export const sourcesSchema = z
  .object({
    aggregate: z.string(),
    date: z.iso.date().nullable(),
    built_at: z.iso.datetime(),
    rows: count.meta({ description: "Of the aggregate." }),
    hours: z.array(hourSchema),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "AnalyticsSources" });

type Hour = z.infer<typeof hourSchema>;

/** What a figure was made from: the hours, their counts and checks, and the raw files. Throws `not_found`. */
export async function reportSources(
  tx: Transaction,
  clientId: string,
  { aggregate, date, limit, cursor = "" }: z.output<typeof sourcesInput>,
): Promise<z.infer<typeof sourcesSchema>> {
  const day = date ?? NO_DAY;
  const where = and(eq(builds.client_id, clientId), eq(builds.aggregate, aggregate), eq(builds.day, day));
  const build = await tx.query.builds.findFirst({ where });
  if (build === undefined) throw new AppError("not_found", "There is no such aggregate of that day.");
  const all = build.sources.filter(([partition]) => partition > cursor).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const page = all.slice(0, limit);
  const rows = await readHours(
    tx,
    clientId,
    page.map(([partition]) => partition),
  );
  const hours = page.map(([partition, version]): Hour => {
    const row = rows.get(partition);
    const { version: current, ...known } = row ?? NOTHING_KNOWN;
    return { partition, version, is_current: current === version, ...known };
  });
  return {
    aggregate,
    date: date ?? null,
    built_at: new Date(build.built_at).toISOString(),
    rows: build.rows,
    hours,
    next_cursor: all.length > limit ? (page.at(-1)?.[0] ?? null) : null,
  };
}

type Known = Omit<Hour, "partition" | "is_current">;

const NOTHING_KNOWN: Known = {
  version: -1,
  state: null,
  built_at: null,
  raw_rows: 0,
  curated_rows: 0,
  repeated_rows: 0,
  rejected_rows: 0,
  checks: [],
  files: [],
};

async function readHours(
  tx: Transaction,
  clientId: string,
  partitions: readonly string[],
): Promise<Map<string, Known>> {
  const found = await tx.execute<Known & { partition: string }>(sql`
    select book.partition, book.version, book.state, book.checks,
      to_char(book.built_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as built_at,
      book.raw_rows::float8 as raw_rows, book.curated_rows::float8 as curated_rows,
      book.repeated_rows::float8 as repeated_rows, book.rejected_rows::float8 as rejected_rows,
      coalesce((select jsonb_agg(jsonb_build_object('path', path, 'rows', rows, 'bytes', bytes) order by path)
        from lake_files where client_id = book.client_id and partition = book.partition and compacted_into is null), '[]') as files
    from etl_partitions book
    where book.client_id = ${clientId}
      and book.partition in (select jsonb_array_elements_text(${JSON.stringify(partitions)}::text::jsonb))`);
  return new Map([...found].map(({ partition, ...row }) => [partition, row]));
}
