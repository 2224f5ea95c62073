import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { z } from "zod";

import type { Contents } from "./copy.ts";

const FILE = "backup.json";

const schema = z.object({
  format: z.literal(1),
  /** The moment that the backup shows, ISO 8601. */
  barrier_at: z.iso.datetime(),
  /** How long everything stood still. */
  held_ms: z.number(),
  /** Whether a message was on its way to a provider at that moment; its fate is then asked for after a restore. */
  sends_under_way: z.boolean(),
  folders: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

export type Manifest = z.infer<typeof schema>;

/** Reads the copy back, makes it durable, and writes what it holds; last of all, so that a folder without it is no backup. */
export async function writeManifest(
  folder: string,
  contents: Contents,
  facts: Pick<Manifest, "barrier_at" | "held_ms" | "sends_under_way">,
): Promise<Manifest> {
  const files: Manifest["files"] = [];
  for (const path of contents.files.toSorted()) files.push({ path, ...(await digest(join(folder, path), true)) });
  const manifest: Manifest = { format: 1, ...facts, folders: contents.folders.toSorted(), files };
  const fresh = join(folder, `${FILE}.new`);
  await writeFile(fresh, JSON.stringify(manifest, null, 1), { mode: 0o600, flush: true });
  await rename(fresh, join(folder, FILE));
  return manifest;
}

/** Throws where the folder is no backup, or a version of Livora made it that this one does not know. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => {
    throw new Error(`${folder} is no backup: there is no ${FILE} in it (a backup that was interrupted has none)`);
  });
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${join(folder, FILE)} cannot be read: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

/** Throws, naming it, at the first file that is not what was written. */
export async function verifyFiles(folder: string, manifest: Manifest): Promise<void> {
  for (const { path, bytes, sha256 } of manifest.files) {
    const found = await digest(join(folder, path)).catch(() => null);
    if (!found) throw new Error(`The backup is damaged: ${path} is missing`);
    if (found.bytes !== bytes || found.sha256 !== sha256) throw new Error(`The backup is damaged: ${path} has changed`);
  }
}

async function digest(file: string, isToBeDurable = false): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  if (isToBeDurable) {
    await using handle = await open(file, "r");
    await handle.sync();
  }
  return { bytes, sha256: hash.digest("hex") };
}
