import { type Break, findBreaks } from "./compare.ts";
import type { PropsSchema } from "./schema.ts";

/**
 * What a new version must be able to do. `backward`: read all that was written by the versions before it. `forward`: write nothing that
 * those cannot read. `full`: both. `none`: nothing; a version made so begins a new line, and later ones are not held to those before it.
 */
export const COMPATIBILITIES = ["backward", "forward", "full", "none"] as const;
export type Compatibility = (typeof COMPATIBILITIES)[number];

export interface SchemaVersion {
  version: number;
  schema: PropsSchema;
}

const MAX_BREAKS = 100;

/**
 * What keeps a schema from being the next version, for people: the path in `props`, and which version cannot read what. The versions are
 * all of its line, not only the last: events of each of them lie in the lake.
 */
export function findIncompatibilities(
  next: PropsSchema,
  line: readonly SchemaVersion[],
  compatibility: Compatibility,
): Break[] {
  const found = line.flatMap(({ version, schema }) => [
    ...(readsOld(compatibility) ? findBreaks(schema, next).map(tell("the new version", `version ${version}`)) : []),
    ...(readsNew(compatibility) ? findBreaks(next, schema).map(tell(`version ${version}`, "the new version")) : []),
  ]);
  return found.slice(0, MAX_BREAKS);
}

function readsOld(compatibility: Compatibility): boolean {
  return compatibility === "backward" || compatibility === "full";
}

function readsNew(compatibility: Compatibility): boolean {
  return compatibility === "forward" || compatibility === "full";
}

function tell(reader: string, writer: string) {
  return ({ path, reason }: Break): Break => ({ path, reason: `${reader} ${reason}; ${writer} may write otherwise` });
}
