import { createEnvelopeEncoder } from "../../core/envelope.ts";
import { type Event, partitionKeyOf } from "../../core/event.ts";
import { laneOf, type Position } from "../../core/position.ts";
import type { StreamProducer } from "../stream/types.ts";
import type { EdgeCounter } from "./edge-counter.ts";
import type { NotedEnvelope } from "./edge-journal.ts";

export interface Provenance {
  client_id: string;
  received_at: string;
  request_id: string;
  ip?: string;
  /** Of history that is loaded from a file: nobody is to be written to because of it. */
  backfill_id?: string;
  /** ISO 8601: the ids are remembered under this time, and not under the events' own. */
  seen_under?: string;
}

export type AppendStep = ReturnType<typeof createAppendStep>;

/** The events of a request that go into one lane, until they fill an envelope. */
interface Portion {
  lane: number;
  bytes: number;
  slices: Buffer[];
  /** Their places in the request. */
  places: number[];
}

/** A stream's record must hold it, beside others. */
const MAX_ENVELOPE_BYTES = 400 * 1024;

/**
 * Puts the events' bytes on the stream, each in its session's lane, in the order of the request. Resolves with their
 * positions, in that order, once the stream has acknowledged them all. Throws `unavailable`. Either way it is counted.
 */
export function createAppendStep(producer: StreamProducer, counter?: EdgeCounter) {
  return async function append(events: Event[], slices: Buffer[], provenance: Provenance): Promise<Position[]> {
    const envelopes: NotedEnvelope[] = [];
    try {
      const header = counter ? { ...provenance, edge: counter.edge } : provenance;
      const positions = await put(events, slices, header, envelopes);
      const noting = counter?.acknowledged(provenance, envelopes);
      if (noting) await noting;
      return positions;
    } catch (error) {
      counter?.unsure(provenance, events.length);
      throw error;
    }
  };

  /** A number for the envelope of these events, which is entered in `envelopes`. */
  function enter(envelopes: NotedEnvelope[], events: readonly Event[], places: readonly number[]): number | undefined {
    if (!counter) return undefined;
    const envelope = counter.nextEnvelope();
    envelopes.push({ envelope, eventIds: places.map((place) => (events[place] as Event).event_id) });
    return envelope;
  }

  async function put(
    events: Event[],
    slices: Buffer[],
    header: Provenance & { edge?: string },
    envelopes: NotedEnvelope[],
  ): Promise<Position[]> {
    const encode = createEnvelopeEncoder(header);
    const [first] = events;
    if (first && events.length === 1) {
      const lane = laneOf(partitionKeyOf(first));
      return [await producer.append(lane, encode(slices, enter(envelopes, events, [0])), 1)];
    }
    const positions: Position[] = [];
    positions.length = events.length;
    await Promise.all(
      portionsOf(events, slices).map(async (portion) => {
        const data = encode(portion.slices, enter(envelopes, events, portion.places));
        const begin = await producer.append(portion.lane, data, portion.slices.length);
        for (const [i, place] of portion.places.entries()) {
          positions[place] = { shard: begin.shard, sequence: begin.sequence, index: begin.index + i };
        }
      }),
    );
    return positions;
  }
}

function portionsOf(events: readonly Event[], slices: readonly Buffer[]): Portion[] {
  const portions: Portion[] = [];
  const open = new Map<number, Portion>();
  for (let place = 0; place < events.length; place++) {
    const lane = laneOf(partitionKeyOf(events[place] as Event));
    const slice = slices[place] as Buffer;
    let portion = open.get(lane);
    if (!portion || portion.bytes + slice.length > MAX_ENVELOPE_BYTES) {
      portion = { lane, bytes: 0, slices: [], places: [] };
      open.set(lane, portion);
      portions.push(portion);
    }
    portion.bytes += slice.length;
    portion.slices.push(slice);
    portion.places.push(place);
  }
  return portions;
}
