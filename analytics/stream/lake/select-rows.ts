import { isUtf8 } from "node:buffer";

import type { Enrichment } from "../../../core/enriched-event.ts";
import { advanceFence, type Fences, isAfterFence } from "../../../core/fence.ts";
import { type LakePartition, parsePartition, partitionOf } from "../../../core/lake.ts";
import type { Position } from "../../../core/position.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { readableEvent, replaceLoneSurrogates } from "./json-text.ts";

/** How far each lane has come, by the place its events have in the stream "events". Saved with the checkpoint. */
export interface LakeState {
  fences: Fences;
}

export interface LakeRow {
  entry: StreamEntry;
  clientId: string;
  eventId: string;
  partition: LakePartition;
  /** Its event's place in the stream "events". */
  source: Position;
  enrichment: string;
  /** The event as received. */
  raw: string;
  /** The event as the columns read it, where that is another text than `raw`. */
  body: string | null;
}

export interface RejectedEntry {
  entry: StreamEntry;
  reason: string;
  clientId: string | null;
  eventId: string | null;
}

export interface Selection {
  rows: LakeRow[];
  rejected: RejectedEntry[];
  /** Entries that had been through before: a producer that crashed sent them again. */
  repeated: number;
  state: LakeState;
}

/** What of a batch is new, in order. An entry that cannot become a row is set aside with its reason, once. */
export function selectRows(entries: readonly StreamEntry[], before: LakeState | undefined): Selection {
  const selection: Selection = { rows: [], rejected: [], repeated: 0, state: before ?? { fences: {} } };
  const partitions: Partitions = new Map();
  for (const entry of entries) {
    const read = readEntry(entry);
    if ("reason" in read) {
      selection.rejected.push(read);
      continue;
    }
    const { fences } = selection.state;
    if (!isAfterFence(fences, read.lane, read.source)) {
      selection.repeated++;
      continue;
    }
    selection.state = { fences: advanceFence(fences, read.lane, read.source) };
    const row = readRow(read, partitions);
    if ("reason" in row) selection.rejected.push(row);
    else selection.rows.push(row);
  }
  return selection;
}

/** All of them, whatever the lake has seen: for whoever knows otherwise that they are not there yet. */
export function readRows(entries: readonly StreamEntry[]): Pick<Selection, "rows" | "rejected"> {
  const read: Pick<Selection, "rows" | "rejected"> = { rows: [], rejected: [] };
  const partitions: Partitions = new Map();
  for (const entry of entries) {
    const known = readEntry(entry);
    const row = "reason" in known ? known : readRow(known, partitions);
    if ("reason" in row) read.rejected.push(row);
    else read.rows.push(row);
  }
  return read;
}

/** Those of the batch, by client and hour: there are few, and each is asked for thousands of times. */
type Partitions = Map<string, LakePartition>;

/** An entry of which the line before the event could be read. */
interface ReadEntry {
  entry: StreamEntry;
  clientId: string;
  eventId: string;
  timestamp: string | undefined;
  lane: number;
  source: Position;
  /** Where the line ends. */
  end: number;
  enrichment: string;
}

function readEntry(entry: StreamEntry): ReadEntry | RejectedEntry {
  let header: Partial<Enrichment> = {};
  try {
    const end = entry.data.indexOf("\n");
    const enrichment = entry.data.toString("utf8", 0, Math.max(end, 0));
    header = parseHeader(enrichment);
    return { entry, end, enrichment, ...readHeader(header) };
  } catch (error) {
    return reject(entry, error, asText(header?.client_id), asText(header?.event_id));
  }
}

function readRow({ entry, end, ...read }: ReadEntry, partitions: Partitions): LakeRow | RejectedEntry {
  const { clientId, eventId } = read;
  try {
    const partition = partitionAt(clientId, read.timestamp, partitions);
    const bytes = entry.data.subarray(end + 1);
    if (!isUtf8(bytes)) throw new Error("not UTF-8");
    const raw = bytes.toString("utf8");
    const body = readableEvent(raw);
    const texts = { enrichment: replaceLoneSurrogates(read.enrichment), raw, body: body === raw ? null : body };
    return { entry, clientId, eventId, partition, source: read.source, ...texts };
  } catch (error) {
    return reject(entry, error, clientId, eventId);
  }
}

function reject(entry: StreamEntry, error: unknown, clientId: string | null, eventId: string | null): RejectedEntry {
  return { entry, reason: error instanceof Error ? error.message : String(error), clientId, eventId };
}

function parseHeader(enrichment: string): Partial<Enrichment> {
  try {
    return JSON.parse(enrichment) as Partial<Enrichment>;
  } catch {
    throw new Error("header line is not JSON");
  }
}

function readHeader(header: Partial<Enrichment>) {
  const { client_id: clientId, event_id: eventId, timestamp, source, lane } = header;
  if (typeof clientId !== "string" || typeof eventId !== "string") throw new Error("no client_id or event_id");
  if (typeof source?.sequence !== "string" || typeof source.index !== "number") throw new Error("no source place");
  if (typeof lane !== "number") throw new Error("no lane");
  const { shard, sequence, index } = source;
  return { clientId, eventId, timestamp, lane, source: { shard, sequence, index } };
}

function partitionAt(clientId: string, timestamp: string | undefined, partitions: Partitions): LakePartition {
  const timestampMs = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(timestampMs)) throw new Error("no timestamp");
  const key = `${Math.floor(timestampMs / HOUR_MS)} ${clientId}`;
  const known = partitions.get(key);
  if (known !== undefined) return known;
  const partition = partitionOf(clientId, timestampMs);
  if (parsePartition(partition.path) === undefined) throw new Error("timestamp out of range");
  partitions.set(key, partition);
  return partition;
}

function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
