import type { AuditedHour, AuditSummary, AuditVerdict } from "./contracts/audit.ts";
import { sumCounts } from "./sum-counts.ts";
import { DAY_MS, HOUR_MS } from "./time.ts";

export const RECEIPTS_ROOT = "audit/receipts";
/** What the edges have noted. */
export const EDGES_ROOT = "audit/edges";
const FOLDER = /^audit\/(?:receipts|edges)\/dt=(\d{4,6}-\d{2}-\d{2})\/hour=(\d{2})$/;

/** The beginning of the hour that a moment lies in, epoch milliseconds. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/** The beginnings of the hours that `from` up to `to` (without it) touches. */
export function hoursBetween(fromMs: number, toMs: number): number[] {
  const first = hourOf(fromMs);
  const count = Math.max(0, Math.ceil((toMs - first) / HOUR_MS));
  return Array.from({ length: count }, (_, i) => first + i * HOUR_MS);
}

/** Where the receipts of an hour lie, below the lake's root. `hour` is that of receipt at the edge. */
export function receiptsFolder(hourMs: number): string {
  return `${RECEIPTS_ROOT}/${folderOf(hourMs)}`;
}

/** Where the journals of an hour lie, below the lake's root. `hour` is that of the acknowledgement. */
export function edgeJournalFolder(hourMs: number): string {
  return `${EDGES_ROOT}/${folderOf(hourMs)}`;
}

/** An edge begins a new file with each hour, and after each trouble with its disk. */
export function edgeJournalName(edge: string, number: number): string {
  return `${edge}.${number}.ack`;
}

/** Undefined where it is no journal. */
export function edgeOfJournal(name: string): string | undefined {
  return /^([\w-]+)\.\d+\.ack$/.exec(name)?.[1];
}

function folderOf(hourMs: number): string {
  const [dt = "", time = ""] = new Date(hourMs).toISOString().split("T");
  return `dt=${dt}/hour=${time.slice(0, 2)}`;
}

/** The hour of a folder of receipts or journals, epoch milliseconds; undefined for any other path. */
export function parseAuditFolder(path: string): number | undefined {
  const [, dt, hour] = FOLDER.exec(path) ?? [];
  const startsAtMs = Date.parse(`${dt}T${hour}:00:00.000Z`);
  return Number.isNaN(startsAtMs) ? undefined : startsAtMs;
}

/** The same range of the stream always makes the same file. */
export function receiptsFileName({ shard, first, last }: Record<"shard" | "first" | "last", string>): string {
  return `${shard}_${first}_${last}.parquet`;
}

/** Dead letters of these stages are about events that are in the lake, or should be: they explain nothing. */
const BESIDE_THE_LAKE = new Set(["automation", "counters"]);

export function explainsAbsence(stage: string): boolean {
  return !BESIDE_THE_LAKE.has(stage);
}

/** What can be said of an hour: a difference is one, whatever else is not known. */
export function verdictOf(hour: { endsAtMs: number; settledMs: number; unexplained: number; isKnown: boolean }) {
  const verdict: AuditVerdict =
    hour.unexplained > 0 ? "difference" : !hour.isKnown ? "unknown" : hour.settledMs >= hour.endsAtMs ? "ok" : "open";
  return verdict;
}

export const NO_AUDITS: AuditSummary = {
  hours: 0,
  differing: 0,
  unexplained: 0,
  unexplained_deliveries: 0,
  unknown: 0,
};

export function summarise(audited: readonly AuditedHour[]): AuditSummary {
  const summaries = audited.map((hour) => ({
    hours: 1,
    differing: hour.verdict === "difference" ? 1 : 0,
    unexplained: hour.unexplained,
    unexplained_deliveries: hour.unexplained_deliveries,
    unknown: hour.verdict === "unknown" ? 1 : 0,
  }));
  return sumCounts([NO_AUDITS, ...summaries]);
}

/** Of a process: 1 where something is unexplained, else 2 where something could not be established. */
export function exitCodeOf({ differing, unknown }: AuditSummary): 0 | 1 | 2 {
  if (differing > 0) return 1;
  return unknown > 0 ? 2 : 0;
}

/** What the latest audit said of an hour, all clients together. */
export interface KnownHour {
  hourMs: number;
  auditedAtMs: number;
  isWell: boolean;
}

const LOOK_BACK_HOURS = 26;
const SECOND_AFTER_MS = DAY_MS;

/**
 * Which hours are worth an audit now: those of the last day that are not known to be well, and each once more a day later,
 * when compaction and repetitions have had their time.
 */
export function selectHours(nowMs: number, known: readonly KnownHour[]): number[] {
  const latest = new Map(known.map((hour) => [hour.hourMs, hour]));
  return hoursBetween(nowMs - LOOK_BACK_HOURS * HOUR_MS, nowMs).filter((hourMs) => {
    const hour = latest.get(hourMs);
    if (!hour?.isWell) return true;
    const secondAtMs = hourMs + SECOND_AFTER_MS;
    return nowMs >= secondAtMs && hour.auditedAtMs < secondAtMs;
  });
}

export function lookBackFrom(nowMs: number): number {
  return hourOf(nowMs - LOOK_BACK_HOURS * HOUR_MS);
}
