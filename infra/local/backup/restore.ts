import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { parseArgs } from "node:util";

import { EDGES_ROOT } from "../../../core/audit.ts";
import { lockFolder } from "../lock.ts";
import { ROOT } from "../paths.ts";
import { findRunning } from "../process.ts";
import { createCopy } from "./copy.ts";
import { restoringFile, writeLostTime } from "./lost-time.ts";
import { type Manifest, readManifest, verifyFiles } from "./manifest.ts";
import { findPlaces, type Place, type Places, POSTGRES_DATA } from "./places.ts";

const HELP = `npm run restore -- <folder> [--stream <folder>]

Brings back what \`npm run backup\` has copied, into an empty LIVORA_DATA_DIR (.livora). Stop the Livora that it replaces
first: no two may send. \`npm start\` then goes on from the backup's moment. See docs/runbooks/restore.md.

  --stream F        take the stream from the data folder F of the Livora that was lost, if it has survived there:
                    then nothing is lost that was acknowledged after the backup either`;

/** `npm run restore`: see docs/adr/0015-backup.md. */
async function restore(backup: string, stream: string | undefined): Promise<Manifest> {
  const dir = resolve(process.env.LIVORA_DATA_DIR || join(ROOT, ".livora"));
  const manifest = await readManifest(backup);
  if (stream !== undefined) refuseUnlessAtRest(stream);
  await verifyFiles(backup, manifest);
  refuseUnlessEmpty(dir, manifest);
  const unlock = lockFolder(dir);
  try {
    writeFileSync(restoringFile(dir), "{}");
    mkdirSync(join(dir, "postgres"), { recursive: true });
    const places = await findPlaces(dir, process.env);
    bringBack(backup, manifest, places.all);
    if (stream !== undefined) takeStream(stream, dir, places.all);
    handOver(places);
    writeLostTime(dir, { since: manifest.barrier_at, until: new Date().toISOString() });
    rmSync(restoringFile(dir));
    return manifest;
  } finally {
    unlock();
  }
}

function refuseUnlessAtRest(stream: string): void {
  if (!existsSync(join(stream, "kinesis", "data"))) throw new Error(`There is no stream in ${stream}.`);
  const isRunning = ["kinesis/pid.json", "lock.json"].some((file) => findRunning(join(stream, file)) !== null);
  if (isRunning) throw new Error(`The Livora in ${stream} still runs: stop it first.`);
}

function refuseUnlessEmpty(dir: string, manifest: Manifest): void {
  const names = new Set([...manifest.folders, ...manifest.files.map(({ path }) => path)].map(firstName));
  const taken = existsSync(dir) ? readdirSync(dir).filter((name) => names.has(name)) : [];
  if (taken.length > 0) {
    throw new Error(
      `${dir} is not empty (${taken.join(", ")}): move it away, or name another folder by LIVORA_DATA_DIR.`,
    );
  }
}

function firstName(path: string): string {
  return path.split(sep, 1)[0]!;
}

function bringBack(backup: string, manifest: Manifest, places: readonly Place[]): void {
  const target = (path: string) => placeOf(path, places);
  for (const { folder } of places) mkdirSync(folder, { recursive: true });
  for (const folder of manifest.folders) mkdirSync(target(folder), { recursive: true });
  for (const { path } of manifest.files) {
    mkdirSync(dirname(target(path)), { recursive: true });
    copyFileSync(join(backup, path), target(path));
  }
}

/** The most specific place that has it: the lake, say, rather than the stack's own folder. */
function placeOf(path: string, places: readonly Place[]): string {
  const place = places
    .filter(({ name }) => name === "" || path === name || path.startsWith(name + sep))
    .toSorted((a, b) => b.name.length - a.name.length)[0]!;
  return join(place.folder, path.slice(place.name.length));
}

/** With what the edges have noted since, so that an audit can tell whether the stream has all of it. */
function takeStream(from: string, dir: string, places: readonly Place[]): void {
  rmSync(join(dir, "kinesis"), { recursive: true, force: true });
  createCopy([{ folder: join(from, "kinesis"), name: "kinesis" }], dir).pass();
  const journals = join("lake", EDGES_ROOT);
  createCopy([{ folder: join(from, journals), name: "" }], placeOf(journals, places)).pass();
}

/** PostgreSQL starts only in a folder that is its account's, and nobody else's. */
function handOver({ all, account }: Places): void {
  const data = placeOf(POSTGRES_DATA, all);
  chmodSync(data, 0o700);
  const { uid, gid } = account;
  if (uid === undefined || gid === undefined) return;
  const inside = readdirSync(data, { recursive: true, encoding: "utf8" });
  for (const path of [dirname(data), data, ...inside.map((name) => join(data, name))]) chownSync(path, uid, gid);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { stream: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const [backup, ...others] = positionals;
  if (values.help || backup === undefined || others.length > 0) {
    console.log(HELP);
    process.exit(values.help ? 0 : 1);
  }
  const stream = values.stream === undefined ? undefined : resolve(values.stream);
  const { barrier_at, files } = await restore(resolve(backup), stream);
  console.log(`Restored ${files.length} files as of ${barrier_at}. \`npm start\` goes on from there.`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
