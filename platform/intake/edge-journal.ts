import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { edgeJournalFolder, edgeJournalName, hourOf } from "../../core/audit.ts";
import { bytesOfEntry, encodeClient, writeEntry } from "../../core/edge-journal.ts";
import type { Logger } from "../logger.ts";

/**
 * A disk that fails, or takes this long for a write into memory again and again, is left alone for a while. Once says nothing: a
 * process that had to wait for the processor has seen the same.
 */
const TOO_LONG_MS = 250;
const TOO_OFTEN = 2;
const PAUSE_MS = 10_000;
const FIRST_BYTES = 64 * 1024;

export interface NotedEnvelope {
  envelope: number;
  eventIds: string[];
}

/** Where an edge notes what it is about to answer 202 to. */
export interface EdgeJournal {
  /** Resolves once it is written, so that whoever is answered is named there; undefined where it cannot be noted now. Never rejects. */
  note(clientId: string, receivedAtMs: number, envelopes: readonly NotedEnvelope[]): Promise<void> | undefined;
  close(): void;
}

interface OpenFile {
  fd: number;
  hourMs: number;
  clients: Map<string, number>;
}

/**
 * Notes in files of an hour each, below the lake's `root`. Not synced: the kernel keeps what a process has written when that
 * process is killed. All that one answer of the stream has settled goes with one write. The edge never fails for it: what could not be
 * noted is counted all the same, and the audit then knows how many, but not which.
 */
export function createEdgeJournal(root: string, edge: string, log: Pick<Logger, "warn">): EdgeJournal {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let used = 0;
  let flushing: Promise<void> | undefined;
  let file: OpenFile | null = null;
  let files = 0;
  let restUntilMs = 0;
  let slowWrites = 0;

  function open(nowMs: number): OpenFile {
    const hourMs = hourOf(nowMs);
    if (file !== null && file.hourMs === hourMs) return file;
    close();
    const folder = join(root, edgeJournalFolder(hourMs));
    mkdirSync(folder, { recursive: true });
    // A new name each time: behind what a full disk has cut off nothing could be read.
    file = { fd: openSync(join(folder, edgeJournalName(edge, files++)), "ax"), hourMs, clients: new Map() };
    return file;
  }

  function reserve(bytes: number): number {
    if (used + bytes > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, used + bytes));
      buffer.copy(larger, 0, 0, used);
      buffer = larger;
    }
    const at = used;
    used += bytes;
    return at;
  }

  function clientOf({ clients }: OpenFile, name: string): number {
    const known = clients.get(name);
    if (known !== undefined) return known;
    const client = clients.size;
    clients.set(name, client);
    const introduced = encodeClient(client, name);
    introduced.copy(buffer, reserve(introduced.length));
    return client;
  }

  function flush(): void {
    flushing = undefined;
    const beganAt = performance.now();
    try {
      if (file === null) return;
      for (let at = 0; at < used;) at += writeSync(file.fd, buffer, at, used - at);
      const tookMs = performance.now() - beganAt;
      slowWrites = tookMs > TOO_LONG_MS ? slowWrites + 1 : 0;
      if (slowWrites === TOO_OFTEN) throw new Error(`a write took ${Math.round(tookMs)} ms, like the one before`);
    } catch (error) {
      rest(error);
    } finally {
      used = 0;
    }
  }

  function rest(error: unknown): void {
    log.warn({ err: error }, "what is acknowledged is counted, but not noted by its id");
    restUntilMs = Date.now() + PAUSE_MS;
    slowWrites = 0;
    used = 0;
    close();
  }

  function close(): void {
    const closing = file;
    file = null;
    try {
      if (closing !== null) closeSync(closing.fd);
    } catch {
      // What it says of the disk, the next write will.
    }
  }

  return {
    note(clientId, receivedAtMs, envelopes) {
      const acknowledgedAtMs = Date.now();
      if (acknowledgedAtMs < restUntilMs) return undefined;
      try {
        // What has been gathered for the hour before belongs into its file.
        if (used > 0 && file?.hourMs !== hourOf(acknowledgedAtMs)) flush();
        const client = clientOf(open(acknowledgedAtMs), clientId);
        for (const { envelope, eventIds } of envelopes) {
          const at = reserve(bytesOfEntry(eventIds.length));
          writeEntry(buffer, at, client, { acknowledgedAtMs, receivedAtMs, envelope, eventIds });
        }
      } catch (error) {
        rest(error);
        return undefined;
      }
      // After all requests that are waiting for the same answer of the stream have come here.
      flushing ??= new Promise((resolve) => process.nextTick(() => resolve(flush())));
      return flushing;
    },
    close() {
      if (used > 0) flush();
      close();
    },
  };
}
