import type { Fault } from "../errors.ts";

/** A record that made no event. Says nothing of what it holds. */
export interface Reject {
  line: number;
  /** JSON pointer into the event that it was to be; empty for the record as a whole. */
  path: string;
  reason: string;
  /** What else is wrong with it. */
  others?: Fault[];
}

/** Rejects that have the same in common. */
export interface RejectGroup {
  path: string;
  reason: string;
  count: number;
  first_line: number;
}

/** So many are shown; all of them can be downloaded. */
export const SHOWN_REJECTS = 100;
const MAX_GROUPS = 100;
const MAX_FAULTS = 20;

export function rejectOf(line: number, faults: readonly Fault[]): Reject {
  const [first = { path: "", reason: "refused" }, ...rest] = faults.slice(0, MAX_FAULTS).map(plain);
  return { line, ...first, ...(rest.length > 0 && { others: rest }) };
}

function plain({ path, reason }: Fault): Fault {
  return { path, reason };
}

/** Groups with some more rejects; the most frequent first. Which reasons there are, the mapping and the checks say: few. */
export function groupRejects(before: readonly RejectGroup[], rejects: readonly Reject[]): RejectGroup[] {
  const groups = new Map(before.map((group) => [nameOf(group), group]));
  for (const { path, reason, line } of rejects) {
    const known = groups.get(nameOf({ path, reason }));
    const group = known ? { ...known, count: known.count + 1 } : { path, reason, count: 1, first_line: line };
    if (known || groups.size < MAX_GROUPS) groups.set(nameOf(group), group);
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count || a.first_line - b.first_line);
}

function nameOf({ path, reason }: Fault): string {
  return JSON.stringify([path, reason]);
}
