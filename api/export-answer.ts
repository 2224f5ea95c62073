import { createReadStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { z } from "zod";

import { formatCsvLine } from "../core/csv.ts";
import { AppError } from "../core/errors.ts";
import type { Column, ReportTable, Value } from "../core/report-table.ts";
import { requireScope } from "../crm/context.ts";
import { toAppError } from "../platform/postgres/errors.ts";
import { convertToParquet } from "../platform/warehouse/convert-to-parquet.ts";
import { EXPORT_TYPES, type ExportFormat } from "./export-format.ts";
import type { Answer, Call, JsonRoute } from "./route.ts";

type AnyCall = Call<z.ZodObject, z.ZodType>;

interface Export {
  route: JsonRoute;
  call: AnyCall;
  table: ReportTable;
  format: ExportFormat;
}

/** Asked of the route at once: more than it answers to others. */
const PAGE = 5_000;
const MOST_ROWS = 1_000_000;
/** Each has a transaction open while it is made, and some megabytes. */
const MOST_AT_ONCE = 4;

/**
 * The whole report as a file, as of one moment; what is no report (202) as it comes. Made page by page on disk, then sent: so what goes
 * wrong is a problem and not half a file, a slow reader holds no transaction, and memory is that of a page. Throws `limited`, and what the
 * route throws.
 */
export function createExporter(): (asked: Export) => Promise<Answer> {
  let underWay = 0;
  return async (asked) => {
    requireScope(asked.call.ctx, asked.route.scope);
    if (underWay >= MOST_AT_ONCE) {
      throw new AppError("limited", "Too many exports are being made.", { retryAfterMs: 2_000 });
    }
    underWay++;
    try {
      return await makeExport(asked);
    } finally {
      underWay--;
    }
  };
}

async function makeExport(asked: Export): Promise<Answer> {
  const { format, route } = asked;
  const folder = await mkdtemp(join(tmpdir(), "livora-export-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const rows = join(folder, "rows");
    const other = await writeRows(rows, asked);
    if (other) {
      await remove();
      return other;
    }
    const path = format === "csv" ? rows : await convertToParquet(rows, asked.table.columns);
    const bytes = createReadStream(path);
    bytes.once("close", () => void remove());
    const headers = {
      "content-disposition": `attachment; filename="${nameOf(route)}.${format}"`,
      vary: "Authorization, X-Client-Id, Accept",
    };
    return { status: 200, stream: { type: EXPORT_TYPES[format], bytes }, headers };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** `/api/v1/analytics/ltv` is `ltv`. */
function nameOf({ path }: JsonRoute): string {
  return path.split("/").slice(4).join("-").replaceAll(/[{}]/g, "");
}

/** Answers what the route answers instead of a report. */
async function writeRows(path: string, { route, call, table, format }: Export): Promise<Answer | undefined> {
  const file = await open(path, "w");
  const write = format === "csv" ? formatCsvLine : (row: readonly Value[]) => formatJsonLine(table.columns, row);
  let count = 0;
  try {
    if (format === "csv") await file.appendFile(formatCsvLine(table.columns.map(({ name }) => name)));
    return await eachPage(route, call, async (body) => {
      count += await appendRows(file, table.rows(body), write);
      if (count > MOST_ROWS) throw new AppError("invalid", `It has more than ${MOST_ROWS} rows: ask for less.`);
    });
  } finally {
    await file.close();
  }
}

async function appendRows(
  file: FileHandle,
  rows: Iterable<readonly Value[]>,
  write: (row: readonly Value[]) => string,
): Promise<number> {
  const lines = [...rows].map(write);
  await file.appendFile(lines.join(""));
  return lines.length;
}

function formatJsonLine(columns: readonly Column[], row: readonly Value[]): string {
  return `${JSON.stringify(Object.fromEntries(columns.map(({ name }, nth) => [name, row[nth]])))}\n`;
}

/** All pages in one transaction, so that what is published meanwhile is not in half of them. */
async function eachPage(
  route: JsonRoute,
  call: AnyCall,
  take: (body: unknown) => Promise<void>,
): Promise<Answer | undefined> {
  const isPaged = route.input !== undefined && "cursor" in route.input.shape;
  if (!isPaged) {
    const answer = await route.handle(call);
    if (answer.status !== 200) return answer;
    await take(answer.body);
    return undefined;
  }
  const snapshot = { isolationLevel: "repeatable read", accessMode: "read only" } as const;
  return call.ctx.db
    .transaction(async (tx) => {
      // Within it, a verb's own transaction is a savepoint.
      const ctx = { ...call.ctx, db: tx as unknown as AnyCall["ctx"]["db"] };
      let cursor: string | undefined;
      do {
        const answer = await route.handle({ ...call, ctx, input: { ...call.input, limit: PAGE, cursor } });
        if (answer.status !== 200) return answer;
        await take(answer.body);
        cursor = (answer.body as { next_cursor?: string | null }).next_cursor ?? undefined;
      } while (cursor !== undefined);
      return undefined;
    }, snapshot)
    .catch((error: unknown) => {
      throw toAppError(error);
    });
}
