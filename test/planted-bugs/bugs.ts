import { plant, type PlantedBug } from "./bug.ts";
import { DELIVERY_BUGS } from "./delivery-bugs.ts";
import { DRIVER_BUGS } from "./driver-bugs.ts";
import { ENRICH_BUGS } from "./enrich-bugs.ts";
import { JOURNEY_BUGS } from "./journey-bugs.ts";
import { STREAM_BUGS } from "./stream-bugs.ts";

export const BUGS: readonly PlantedBug[] = [
  ...STREAM_BUGS,
  ...ENRICH_BUGS,
  ...JOURNEY_BUGS,
  ...DRIVER_BUGS,
  ...DELIVERY_BUGS,
];

export function findBug(name: string): PlantedBug {
  const bug = BUGS.find((candidate) => candidate.name === name);
  if (bug) return bug;
  throw new Error(`there is no planted bug "${name}"; there are: ${BUGS.map((known) => known.name).join(", ")}`);
}

export { plant };
