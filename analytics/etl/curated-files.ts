import { readdir, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { clientFolder, clientMark, RAW_EVENTS } from "../../core/lake.ts";
import { isMissing, type Lake } from "../../platform/lake/lake.ts";

/** `events`: the curated rows. `ids`: which events the raw hour holds. `links`: whose its devices said they are. */
type HourKind = "events" | "ids" | "links";
/** Once for each client. `repeats`: which hour must leave out which event. `links`: whose each device is. */
type ClientKind = "repeats" | "links";

/** Of an hour, by its raw partition. Two clients may share a folder on some disks, so names carry a mark of the client. */
export function hourFile(clientId: string, partition: string, kind: HourKind, version: number): string {
  return `${partition.replace(RAW_EVENTS, `curated/${kind}`)}/${kind}_${version}_${clientMark(clientId)}.parquet`;
}

export function clientFile(clientId: string, kind: ClientKind, version: number): string {
  const folder = clientFolder(clientId).replace(RAW_EVENTS, `curated/all-${kind}`);
  return `${folder}/${kind}_${version}_${clientMark(clientId)}.parquet`;
}

/** Who began a registered funnel on a UTC day; the digest is of what it is made of. */
export function entriesFile(clientId: string, of: { funnel: string; day: string; digest: string }): string {
  const folder = clientFolder(clientId).replace(RAW_EVENTS, "curated/funnel-entries");
  return `${folder}/funnel=${of.funnel}/dt=${of.day}/entries_${of.digest.slice(0, 24)}_${clientMark(clientId)}.parquet`;
}

/** Removes versions before the last two: who has just asked the book may still read the one before. */
export async function removeOldVersions(lake: Lake, path: string): Promise<void> {
  const [, kind, version, mark] = /([a-z]+)_(\d+)_([0-9a-f]{8})\.parquet$/.exec(path) ?? [];
  const folder = lake.absolute(dirname(path));
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    const found = new RegExp(`^${kind}_(\\d+)_${mark}\\.parquet$`).exec(name)?.[1];
    if (found !== undefined && Number(found) < Number(version) - 1) await rm(`${folder}/${name}`, { force: true });
  }
}
