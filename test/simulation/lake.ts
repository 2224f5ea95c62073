import { type LakeState, selectRows } from "../../analytics/stream/lake/select-rows.ts";
import { decodeEnriched } from "../../core/enriched-event.ts";
import { mergeFences } from "../../core/fence.ts";
import type { ConsumerOptions } from "../../platform/stream/types.ts";
import type { Network } from "./network.ts";

/** A row of the lake, with the place of its event in the stream "events". */
export interface LakeRow {
  client_id: string;
  event_id: string;
  session_id: string | null;
  event_type: string;
  raw: string;
  sequence: string;
  index: number;
}

/** The lake in memory: files named after the range that they were made from, put in their own place when made again. */
export function createLakeModel(network: Network) {
  const files = new Map<string, LakeRow[]>();

  function consumer(stream: string): ConsumerOptions<LakeState> {
    return {
      stream,
      name: "lake",
      async handle(batch) {
        const { rows, state } = selectRows(batch.entries, batch.state);
        const [first, last] = [batch.entries[0], batch.entries.at(-1)];
        if (!first || !last) return state;
        const name = `${batch.shard} ${first.sequence}-${last.sequence}`;
        await network.ask(
          null,
          () =>
            void files.set(
              name,
              rows.map(({ entry }) => rowOf(entry.data)),
            ),
          failure,
        );
        return state;
      },
      countEvents: () => 1,
      maxBatchBytes: 16 * 1024 * 1024,
      lingerMs: 200,
      exactRanges: true,
      mergeStates: (states) => ({ fences: mergeFences(states.map((state) => state.fences)) }),
    };
  }

  return { consumer, rows: () => [...files.values()].flat() };
}

function failure(): Error {
  return new Error("the lake is away");
}

function rowOf(data: Buffer): LakeRow {
  const { client_id, event_id, session_id, event_type, raw, source } = decodeEnriched(data);
  const { sequence, index } = source;
  return { client_id, event_id, session_id, event_type, raw: raw.toString(), sequence, index };
}
