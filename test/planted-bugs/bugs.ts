import { plant, type PlantedBug } from "./bug.ts";
import { STREAM_BUGS } from "./stream-bugs.ts";

export const BUGS: readonly PlantedBug[] = [...STREAM_BUGS];

export function findBug(name: string): PlantedBug {
  const bug = BUGS.find((candidate) => candidate.name === name);
  if (bug) return bug;
  throw new Error(`there is no planted bug "${name}"; there are: ${BUGS.map((known) => known.name).join(", ")}`);
}

export { plant };
