import type { Check, Misfit } from "./compile.ts";

/** `observe`: what does not fit is taken and counted. `enforce`: it becomes a dead letter, and is counted. */
export const SCHEMA_MODES = ["observe", "enforce"] as const;
export type SchemaMode = (typeof SCHEMA_MODES)[number];

/** What an event type of a client is held to, and since when. Times are epoch milliseconds. */
export interface RegisteredSchema {
  /** In order; the first may count from before it was made, where older ones are no longer of interest. */
  versions: readonly { version: number; inForceFromMs: number; check: Check }[];
  mode: SchemaMode;
  modeFromMs: number;
  /** The mode until then. */
  modeBefore: SchemaMode;
}

/** An event that does not fit: by which version, and what follows. */
export interface Verdict {
  version: number;
  mode: SchemaMode;
  misfits: Misfit[];
}

/**
 * Holds an event's `props` to the version and the mode that were in force when it was received: so a batch that is tried again later is
 * judged as it was. What is replayed is held to the latest, `receivedAtMs: Infinity`. Null where it fits, or was there before any schema.
 */
export function judgeProps(schema: RegisteredSchema, props: unknown, receivedAtMs: number): Verdict | null {
  const judge = schema.versions.findLast(({ inForceFromMs }) => inForceFromMs <= receivedAtMs);
  const misfits = judge?.check(props ?? {}) ?? [];
  if (judge === undefined || misfits.length === 0) return null;
  const mode = schema.modeFromMs <= receivedAtMs ? schema.mode : schema.modeBefore;
  return { version: judge.version, mode, misfits };
}

const MAX_TOLD = 3;

/** A dead letter's reason: never what the event holds, so that letters of one fault share it. */
export function describeVerdict({ version, misfits }: Verdict): string {
  const told = misfits.slice(0, MAX_TOLD).map(({ path, reason }) => `${path} ${reason}`);
  const more = misfits.length > MAX_TOLD ? [`${misfits.length - MAX_TOLD} more`] : [];
  return `does not fit version ${version}: ${[...told, ...more].join("; ")}`;
}
