import { chunksOf } from "../../core/chunks.ts";
import { type Event, MAX_BATCH } from "../../core/event.ts";
import { type AppError, type Fault, isAppError } from "../../core/errors.ts";
import { check } from "./check.ts";
import { parse } from "./parse.ts";

/** What of a request, or of a page of a file, may go onto the stream. */
export interface Admitted {
  events: Event[];
  /** The bytes of each. */
  slices: Buffer[];
}

/** All or nothing, as the edge takes a request's body. Throws `invalid` with every fault of every event. */
export function admit(body: Buffer, clientId: string, nowMs: number): Admitted {
  const { values, slices } = parse(body);
  return { events: check(values, clientId, nowMs), slices };
}

/** Each for itself, by the same rules: those that may, and of the others, by their places among `texts`, what is wrong. */
export function admitEach(
  texts: readonly string[],
  clientId: string,
  nowMs: number,
): Admitted & { refused: Map<number, Fault[]> } {
  const admitted: Admitted = { events: [], slices: [] };
  const refused = new Map<number, Fault[]>();

  function take(places: readonly number[]): void {
    if (places.length === 0) return;
    try {
      const body = Buffer.from(`[${places.map((place) => texts[place]).join(",")}]`);
      const { events, slices } = admit(body, clientId, nowMs);
      admitted.events.push(...events);
      admitted.slices.push(...slices);
    } catch (error) {
      if (!isAppError(error, "invalid")) throw error;
      const faulty = Map.groupBy(error.faults, ({ index }) => (index === undefined ? undefined : places[index]));
      const rest = places.filter((place) => !faulty.has(place));
      for (const [place, faults] of faulty) if (place !== undefined) refused.set(place, faults);
      if (rest.length < places.length) take(rest);
      // What is wrong with all of them together is wrong with one of them: nesting without end, say.
      else if (places.length > 1) for (const place of places) take([place]);
      else refused.set(places[0] ?? 0, error.faults.length > 0 ? [...error.faults] : [faultOf(error)]);
    }
  }

  for (const places of chunksOf([...texts.keys()], MAX_BATCH)) take(places);
  return { ...admitted, refused };
}

function faultOf({ message }: AppError): Fault {
  return { path: "", reason: message };
}
