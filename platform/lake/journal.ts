import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";

import { clientMark } from "../../core/lake.ts";

/**
 * What a compaction is about to do with a partition, written before it does anything: `inputs` are replaced by `target`.
 * While it lies there, whoever finds it can finish the work. Names that begin with `_` are no data to readers of a lake.
 */
const journalSchema = z.object({ target: z.string(), inputs: z.array(z.string()) });
export type Journal = z.infer<typeof journalSchema>;

export function journalName(clientId: string): string {
  return `_compaction_${clientMark(clientId)}.json`;
}

export function isJournal(name: string): boolean {
  return name.startsWith("_compaction_") && name.endsWith(".json");
}

/** Undefined where there is none. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    return journalSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all: a reader never sees half of one. `temp` lies on the same disk. */
export async function writeJournal(folder: string, clientId: string, journal: Journal, temp: string): Promise<void> {
  const file = await open(temp, "w");
  try {
    await file.writeFile(JSON.stringify(journal));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temp, join(folder, journalName(clientId)));
}

/** Only ever names within the folder, whatever the journal says. */
export async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, basename(name)), { force: true });
}
