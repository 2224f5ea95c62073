import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { constants } from "node:fs";
import { dirname } from "node:path";
import { Readable } from "node:stream";

import type { Reject } from "../../core/backfill/rejects.ts";

/**
 * Writes rejects at the end of what counts of the file, and answers how much counts then. Durable before it answers; repeated after a
 * crash it writes the same over the same.
 */
export async function writeRejects(path: string, at: number, rejects: readonly Reject[]): Promise<number> {
  if (rejects.length === 0) return at;
  const data = Buffer.from(rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(""));
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    for (let done = 0; done < data.length;) {
      done += (await file.write(data, done, data.length - done, at + done)).bytesWritten;
    }
    await file.truncate(at + data.length);
    await file.datasync();
  } finally {
    await file.close();
  }
  return at + data.length;
}

/** What counts of it. */
export function readRejects(path: string, bytes: number): Readable {
  return bytes === 0 ? Readable.from([]) : createReadStream(path, { start: 0, end: bytes - 1 });
}
