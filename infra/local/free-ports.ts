import { findFreePorts } from "./ports.ts";
import { PORT_NAMES, type Ports } from "./settings.ts";

/** For each port that `npm start` takes one that nobody listens on at the moment. */
export async function chooseFreePorts(): Promise<Ports> {
  const free = await findFreePorts(PORT_NAMES.length);
  return Object.fromEntries(PORT_NAMES.map((name, place) => [name, free[place]])) as Ports;
}
