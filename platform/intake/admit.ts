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
  for (let from = 0; from < texts.length; from += MAX_BATCH) {
    let places = texts.slice(from, from + MAX_BATCH).map((_, i) => from + i);
    while (places.length > 0) {
      try {
        const body = Buffer.from(`[${places.map((place) => texts[place]).join(",")}]`);
        const { events, slices } = admit(body, clientId, nowMs);
        admitted.events.push(...events);
        admitted.slices.push(...slices);
        break;
      } catch (error) {
        if (!isAppError(error, "invalid")) throw error;
        const before = places.length;
        places = withoutFaulty(places, error, refused);
        // What is wrong with them all together is wrong with one of them: nesting without end, say.
        if (places.length === before && before > 1) {
          for (const place of places) {
            const { refused: alone, ...one } = admitEach([texts[place] ?? ""], clientId, nowMs);
            admitted.events.push(...one.events);
            admitted.slices.push(...one.slices);
            for (const faults of alone.values()) refused.set(place, faults);
          }
          break;
        }
        if (places.length === before) {
          refused.set(
            places[0] ?? 0,
            error.faults.length > 0 ? [...error.faults] : [{ path: "", reason: error.message }],
          );
          break;
        }
      }
    }
  }
  return { ...admitted, refused };
}

function withoutFaulty(places: readonly number[], { faults }: AppError, refused: Map<number, Fault[]>): number[] {
  const faulty = Map.groupBy(faults, (fault) => fault.index);
  return places.filter((place, i) => {
    const own = faulty.get(i);
    if (own) refused.set(place, own);
    return own === undefined;
  });
}
