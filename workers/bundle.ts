import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundleWorkflowCode, type WorkflowBundle } from "@temporalio/worker";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/livora/workflows");
/** All that a bundle is made of; the packages in it are as the lock says. */
const SOURCES = { folders: ["workflows", "core"], files: ["package-lock.json", "workers/bundle.ts"] };

/**
 * Workflow code in one file, as Temporal's sandbox takes it. Schemas are made lazily in `core/`, so zod is left out.
 * `entry`: a file of `workflows/`. Takes seconds of processor time, so it is kept for as long as nothing in it changes: a
 * worker that comes back after a crash need not make it again.
 */
export async function bundleWorkflows(entry: string, cache = CACHE): Promise<WorkflowBundle> {
  const file = join(cache, `${entry}-${await fingerprint(ROOT)}.js`);
  const kept = await readFile(file, "utf8").catch(() => null);
  if (kept !== null) return { code: kept };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, "workflows", entry),
    ignoreModules: ["zod"],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  // Where nothing can be kept, it is made anew each time.
  await keep(file, code).catch(() => undefined);
  return { code };
}

/** Another one as soon as any source in `root` differs in name or content; tests are none. */
export async function fingerprint(root: string): Promise<string> {
  const listed = await Promise.all(
    SOURCES.folders.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((name) => join(folder, name)),
    ),
  );
  const sources = listed.flat().filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const hash = createHash("sha256").update(root);
  for (const name of [...SOURCES.files, ...sources.toSorted()]) {
    const content = await readFile(join(root, name)).catch(() => "");
    hash.update(`\0${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Whole or not at all: somebody may be reading. What it was before goes. */
async function keep(file: string, code: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, code);
  await rename(fresh, file);
  const entry = file.slice(folder.length + 1).replace(/-[0-9a-f]+\.js$/, "");
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${entry}-`) && join(folder, name) !== file);
  await Promise.all(old.filter((name) => name.endsWith(".js")).map((name) => rm(join(folder, name), { force: true })));
}
