import { isUtf8 } from "node:buffer";

import type { Enrichment } from "../../../core/enriched-event.ts";
import { advanceFence, type Fences, isAfterFence, type Place } from "../../../core/fence.ts";
import { type LakePartition, parsePartition, partitionOf } from "../../../core/lake.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { readableEvent, replaceLoneSurrogates } from "./json-text.ts";

const HOUR_MS = 3_600_000;

/** How far each lane has come, by the place its events have in the stream "events". Saved with the checkpoint. */
export interface LakeState {
  fences: Fences;
}

export interface LakeRow {
  entry: StreamEntry;
  clientId: string;
  eventId: string;
  partition: LakePartition;
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

/** What of a batch is new, in order. An entry that cannot become a row is set aside with its reason. */
export function selectRows(entries: readonly StreamEntry[], before: LakeState | undefined): Selection {
  const selection: Selection = { rows: [], rejected: [], repeated: 0, state: before ?? { fences: {} } };
  const partitions: Partitions = new Map();
  for (const entry of entries) {
    const read = readEntry(entry, partitions);
    if ("reason" in read) {
      selection.rejected.push(read);
      continue;
    }
    const { fences } = selection.state;
    if (!isAfterFence(fences, read.lane, read.place)) {
      selection.repeated++;
      continue;
    }
    selection.state = { fences: advanceFence(fences, read.lane, read.place) };
    selection.rows.push(read.row);
  }
  return selection;
}

/** Those of the batch, by client and hour: there are few, and each is asked for thousands of times. */
type Partitions = Map<string, LakePartition>;

type ReadEntry = { row: LakeRow; lane: number; place: Place } | RejectedEntry;

function readEntry(entry: StreamEntry, partitions: Partitions): ReadEntry {
  let header: Partial<Enrichment> = {};
  try {
    if (!isUtf8(entry.data)) throw new Error("not UTF-8");
    const end = entry.data.indexOf("\n");
    const enrichment = entry.data.toString("utf8", 0, Math.max(end, 0));
    header = parseHeader(enrichment);
    const known = readHeader(header, partitions);
    const raw = entry.data.toString("utf8", end + 1);
    const body = readableEvent(raw);
    const texts = { enrichment: replaceLoneSurrogates(enrichment), raw, body: body === raw ? null : body };
    return { row: { entry, ...known.row, ...texts }, lane: known.lane, place: known.place };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { entry, reason, clientId: asText(header?.client_id), eventId: asText(header?.event_id) };
  }
}

function parseHeader(enrichment: string): Partial<Enrichment> {
  try {
    return JSON.parse(enrichment) as Partial<Enrichment>;
  } catch {
    throw new Error("header line is not JSON");
  }
}

function readHeader(header: Partial<Enrichment>, partitions: Partitions) {
  const { client_id: clientId, event_id: eventId, timestamp, source, lane } = header;
  if (typeof clientId !== "string" || typeof eventId !== "string") throw new Error("no client_id or event_id");
  if (typeof source?.sequence !== "string" || typeof source.index !== "number") throw new Error("no source place");
  if (typeof lane !== "number") throw new Error("no lane");
  const partition = partitionAt(clientId, timestamp, partitions);
  return { row: { clientId, eventId, partition }, lane, place: { sequence: source.sequence, index: source.index } };
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
