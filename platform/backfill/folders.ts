import { realpath } from "node:fs/promises";
import { join, resolve, sep } from "node:path";

import { AppError } from "../../core/errors.ts";
import type { Config } from "../config.ts";

/** Beside the lake's data, and none of it. */
const UPLOADS = "_uploads";

/** What belongs to one backfill. */
export interface BackfillFolder {
  folder: string;
  /** The file as it was sent. */
  upload: string;
  /** What it unpacks to. */
  unpacked: string;
  /** All that was refused, as JSON lines. */
  rejects: string;
}

export function uploadsFolder({ LIVORA_LAKE }: Pick<Config, "LIVORA_LAKE">): string {
  return join(resolve(LIVORA_LAKE), UPLOADS);
}

/** Ids are UUIDs, so nobody's own words become part of a path. */
export function backfillFolder(config: Pick<Config, "LIVORA_LAKE">, backfillId: string): BackfillFolder {
  const folder = join(uploadsFolder(config), backfillId);
  const file = (name: string) => join(folder, name);
  return { folder, upload: file("upload"), unpacked: file("unpacked"), rejects: file("rejects.jsonl") };
}

/**
 * A file in the folder that the operator has named for it, whatever links there are on the way. Throws `invalid` where there is no such
 * folder or file, in the same words, or where the path leads out of it.
 */
export async function findImport(
  { LIVORA_IMPORT_DIR }: Pick<Config, "LIVORA_IMPORT_DIR">,
  path: string,
): Promise<string> {
  const root = await realpath(resolve(LIVORA_IMPORT_DIR)).catch(() => null);
  if (root === null) throw refusal("there is no folder that files may be read from (LIVORA_IMPORT_DIR)");
  const asked = resolve(root, path);
  const found = asked.startsWith(root + sep) ? await realpath(asked).catch(() => null) : undefined;
  if (found === null) throw refusal("there is no such file");
  if (!found?.startsWith(root + sep)) throw refusal("leads out of the folder that files may be read from");
  return found;
}

function refusal(reason: string): AppError {
  return new AppError("invalid", "The file cannot be read.", { faults: [{ path: "/path", reason }] });
}
