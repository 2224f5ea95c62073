import { sql } from "drizzle-orm";

import type { Database } from "../../../platform/postgres/database.ts";
import { lakeFiles } from "../../../platform/postgres/schema.ts";
import type { WrittenFile } from "./write-files.ts";

const ROWS_PER_STATEMENT = 1_000;

/** Enters files in the lake's book. A file that is written again is one entry still. Answers those already compacted. */
export async function bookFiles(db: Database, files: readonly WrittenFile[]): Promise<string[]> {
  const compacted: string[] = [];
  for (let start = 0; start < files.length; start += ROWS_PER_STATEMENT) {
    const values = files.slice(start, start + ROWS_PER_STATEMENT).map((file) => ({
      path: file.path,
      client_id: file.clientId,
      partition: file.partition.path,
      rows: file.rows,
      bytes: file.bytes,
    }));
    const set = { rows: sql`excluded.rows`, bytes: sql`excluded.bytes` };
    const booked = await db
      .insert(lakeFiles)
      .values(values)
      .onConflictDoUpdate({ target: lakeFiles.path, set })
      .returning({ path: lakeFiles.path, into: lakeFiles.compacted_into });
    for (const { path, into } of booked) if (into !== null) compacted.push(path);
  }
  return compacted;
}
