import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import { AppError } from "../../core/errors.ts";
import { clientFolder, type LakePartition, parsePartition, RAW_EVENTS } from "../../core/lake.ts";
import { isJournal, readJournal } from "./journal.ts";

const ATTEMPTS = 8;

/** The lake in a folder. Paths are relative to its root, with slashes, everywhere but in `absolute` and `tempPath`. */
export interface Lake {
  readonly root: string;
  /** Throws `invalid` where the path would leave the root. */
  absolute(path: string): string;
  /** A new name outside `raw/`, on the same disk: where a file is made before it is published. */
  tempPath(): Promise<string>;
  /** Makes a finished temporary file appear at its path in one step, for good. Answers its size in bytes. */
  publish(temp: string, path: string): Promise<number>;
  /** In order of client, day and hour. */
  listPartitions(clientId?: string): Promise<LakePartition[]>;
  /** The files that together hold each event of a partition once, also while it is being compacted. In order of name. */
  listFiles(partition: LakePartition): Promise<string[]>;
  /** Lists and reads; when a compaction took files away in between, again. */
  withFiles<T>(list: () => Promise<string[]>, read: (absolutePaths: string[]) => Promise<T>): Promise<T>;
  /** Removes what processes that died left in `_tmp`. What is made there is named after its process. */
  sweepTemp(olderThanMs: number): Promise<number>;
}

export function createLake(folder: string): Lake {
  const root = resolve(folder);
  const tempFolder = join(root, "_tmp");

  function absolute(path: string): string {
    const target = resolve(root, path);
    if (!target.startsWith(root + sep)) throw new AppError("invalid", "path outside the lake");
    return target;
  }

  async function withFiles<T>(list: () => Promise<string[]>, read: (paths: string[]) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const paths = (await list()).map(absolute);
      try {
        return await read(paths);
      } catch (error) {
        if (attempt === ATTEMPTS || (await allExist(paths))) throw error;
      }
    }
  }

  return {
    root,
    absolute,
    async tempPath() {
      await mkdir(tempFolder, { recursive: true });
      return join(tempFolder, `${process.pid}-${randomUUID()}`);
    },
    publish: (temp, path) => publish(temp, absolute(path)),
    async listPartitions(clientId) {
      const folder = clientId === undefined ? RAW_EVENTS : clientFolder(clientId);
      const folders = await listFolders(absolute(folder), folder, clientId === undefined ? 3 : 2);
      return folders.flatMap((path) => parsePartition(path) ?? []);
    },
    listFiles: (partition) => listLiveFiles(absolute(partition.path), partition.path),
    withFiles,
    sweepTemp: (olderThanMs) => sweep(tempFolder, olderThanMs),
  };
}

async function publish(temp: string, target: string): Promise<number> {
  const file = await open(temp, "r+");
  try {
    await file.sync();
    const { size } = await file.stat();
    const created = await mkdir(dirname(target), { recursive: true });
    await rename(temp, target);
    await syncFolders(dirname(target), created === undefined ? dirname(target) : dirname(created));
    return size;
  } finally {
    await file.close();
  }
}

/** A name lasts only once its folder has reached the disk, and a new folder's name in turn lies in the one above. */
async function syncFolders(folder: string, upTo: string): Promise<void> {
  await syncFolder(folder);
  if (folder !== upTo && folder !== dirname(folder)) await syncFolders(dirname(folder), upTo);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listFolders(absolutePath: string, path: string, depth: number): Promise<string[]> {
  if (depth === 0) return [path];
  const entries = await readFolder(absolutePath, true);
  const below = await Promise.all(
    entries.toSorted().map((name) => listFolders(join(absolutePath, name), `${path}/${name}`, depth - 1)),
  );
  return below.flat();
}

async function readFolder(folder: string, foldersOnly = false): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !foldersOnly || entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * A merged file counts as soon as it is there, and the files named in its journal count no longer. The journal goes last,
 * so two equal listings with the journal read after them cannot show both.
 */
async function listLiveFiles(folder: string, path: string): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const before = (await readFolder(folder)).toSorted();
    const live = await subtractMerged(folder, before);
    const after = (await readFolder(folder)).toSorted();
    if (live !== undefined && before.join("\n") === after.join("\n")) return live.map((name) => `${path}/${name}`);
    if (attempt === ATTEMPTS * 10) throw new AppError("unavailable", "the partition does not stop changing");
  }
}

async function subtractMerged(folder: string, names: readonly string[]): Promise<string[] | undefined> {
  const gone = new Set<string>();
  for (const name of names.filter(isJournal)) {
    const journal = await readJournal(join(folder, name));
    if (journal === undefined) return undefined;
    if (names.includes(journal.target)) for (const input of journal.inputs) gone.add(input);
  }
  return names.filter((name) => name.endsWith(".parquet") && !gone.has(name));
}

async function allExist(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => stat(path).then(Boolean, () => false)));
  return found.every(Boolean);
}

async function sweep(folder: string, olderThanMs: number): Promise<number> {
  const limit = Date.now() - olderThanMs;
  let removed = 0;
  for (const name of await readFolder(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found === undefined || found.mtimeMs > limit || isOwnerAlive(name)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** Names say which process made them: a spill folder of a quiet one is old, and in use. */
function isOwnerAlive(name: string): boolean {
  const pid = Number(/^(\d+)-|-(\d+)$/.exec(name)?.slice(1).find(Boolean));
  if (Number.isNaN(pid)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
