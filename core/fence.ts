import { comparePlaces, type Position } from "./position.ts";

export type Place = Pick<Position, "sequence" | "index">;

/**
 * The last place of each lane that has been taken in, as `sequence:index`. Within a lane order is kept, so whatever is
 * not after the fence of its lane has been seen already, however often a batch comes again.
 */
export type Fences = Readonly<Record<string, string>>;

export function isAfterFence(fences: Fences, lane: number, place: Place): boolean {
  const fence = fences[lane];
  return fence === undefined || comparePlaces(place, parsePlace(fence)) > 0;
}

export function advanceFence(fences: Fences, lane: number, place: Place): Fences {
  return { ...fences, [lane]: formatPlace(place) };
}

/** The later fence of each lane: what a shard begins with that came out of several. */
export function mergeFences(several: readonly Fences[]): Fences {
  const merged: Record<string, string> = {};
  for (const fences of several) {
    for (const [lane, fence] of Object.entries(fences)) {
      const other = merged[lane];
      if (other === undefined || comparePlaces(parsePlace(fence), parsePlace(other)) > 0) merged[lane] = fence;
    }
  }
  return merged;
}

function formatPlace({ sequence, index }: Place): string {
  return `${sequence}:${index}`;
}

function parsePlace(fence: string): Place {
  const colon = fence.indexOf(":");
  return { sequence: fence.slice(0, colon), index: Number(fence.slice(colon + 1)) };
}
