import { createHash } from "node:crypto";

import type { Position } from "./position.ts";
import { HOUR_MS } from "./time.ts";

/** Where the lake keeps events, below its root. Beside `raw/` lie only `_tmp/` and, later, `curated/`. */
export const RAW_EVENTS = "raw/events";

/** A partition, by its folder below the lake's root: `raw/events/client=demo/dt=2026-11-21/hour=10`. */
export interface LakePartition {
  path: string;
  dt: string;
  hour: string;
  /** The first millisecond after it. */
  endsAtMs: number;
}

const PARTITION = /^raw\/events\/client=[\w.%~-]+\/dt=(\d{4,6}-\d{2}-\d{2})\/hour=(\d{2})$/;
const LONGEST_FOLDER = 200;

/** The partition of an event, by its normalised timestamp. */
export function partitionOf(clientId: string, timestampMs: number): LakePartition {
  const [dt = "", time = ""] = new Date(timestampMs).toISOString().split("T");
  const hour = time.slice(0, 2);
  return {
    path: `${clientFolder(clientId)}/dt=${dt}/hour=${hour}`,
    dt,
    hour,
    endsAtMs: (Math.floor(timestampMs / HOUR_MS) + 1) * HOUR_MS,
  };
}

/** Undefined where the path is not a partition's: nothing else is ever read, written or removed. */
export function parsePartition(path: string): LakePartition | undefined {
  const [, dt, hour] = PARTITION.exec(path) ?? [];
  if (dt === undefined || hour === undefined) return undefined;
  const startsAtMs = Date.parse(`${dt}T${hour}:00:00.000Z`);
  return Number.isNaN(startsAtMs) ? undefined : { path, dt, hour, endsAtMs: startsAtMs + HOUR_MS };
}

/** All of a client's raw events lie below this folder. */
export function clientFolder(clientId: string): string {
  return `${RAW_EVENTS}/client=${encodeSegment(clientId)}`;
}

/**
 * One folder name for any id: url-encoded, so it can neither climb out nor hide; ids too long for a folder's name, and
 * those that are not well-formed Unicode, are named by their hash.
 */
function encodeSegment(id: string): string {
  const encoded = encodeURIComponent(id.toWellFormed()).replace(/[!'()*~]/g, percent);
  if (encoded.length <= LONGEST_FOLDER && id.isWellFormed()) return encoded;
  return `~${createHash("sha256").update(id, "utf16le").digest("hex")}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** What one batch of the stream wrote into one partition: named by the range it was made from, so it is made once. */
export interface FileRange {
  shard: string;
  first: string;
  last: string;
}

const RANGE_FILE = /^([\w.-]+)_(\d+)_(\d+)_[0-9a-f]{8}\.parquet$/;

/** Names carry a mark of the client: folders that differ in case only are one folder on some disks. */
export function rangeFileName(clientId: string, range: FileRange): string {
  return `${range.shard}_${range.first}_${range.last}_${clientMark(clientId)}.parquet`;
}

/** A file of rows that came later than their batch, from dead letters: the same events always make the same name. */
export function lateFileName(clientId: string, events: readonly Position[]): string {
  const places = events.map(({ shard, sequence, index }) => `${shard} ${sequence} ${index}`);
  return `late_${hashOf(places)}_${clientMark(clientId)}.parquet`;
}

/** Undefined for any other file: whoever wrote it is done with it. */
export function parseRangeFileName(name: string): FileRange | undefined {
  const [, shard, first, last] = RANGE_FILE.exec(name) ?? [];
  return shard !== undefined && first !== undefined && last !== undefined ? { shard, first, last } : undefined;
}

/** The same inputs always make the same file. */
export function compactedFileName(clientId: string, inputs: readonly string[]): string {
  return `compacted_${hashOf(inputs)}_${clientMark(clientId)}.parquet`;
}

function hashOf(names: readonly string[]): string {
  return createHash("sha256").update(names.toSorted().join("\n")).digest("hex").slice(0, 32);
}

/** Whether a file of a partition's folder holds this client's events. */
export function isFileOf(clientId: string, name: string): boolean {
  return name.endsWith(`_${clientMark(clientId)}.parquet`);
}

export function clientMark(clientId: string): string {
  return createHash("sha256").update(clientId, "utf16le").digest("hex").slice(0, 8);
}
