import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { comparePlaces } from "../../../core/position.ts";
import type { StreamEntry } from "../../../platform/stream/types.ts";
import { type LakeState, selectRows } from "./select-rows.ts";

interface Sent {
  lane: number;
  sequence: string;
  index: number;
}

function entryOf({ lane, sequence, index }: Sent, at = "1"): StreamEntry {
  const header = {
    client_id: "demo",
    event_id: `${lane}/${sequence}/${index}`,
    timestamp: "2026-11-21T10:00:00.000Z",
    source: { shard: "s", sequence, index },
    lane,
  };
  return { sequence: at, index: 0, data: Buffer.from(`${JSON.stringify(header)}\n{}`), arrivedAtMs: 0 };
}

function idsOf(entries: readonly StreamEntry[], state?: LakeState): string[] {
  return selectRows(entries, state).rows.map((row) => row.eventId);
}

/** What the edge acknowledged: per lane a growing line of places. */
const sentEvents = fc
  .uniqueArray(
    fc.record({ lane: fc.integer({ min: 0, max: 3 }), sequence: fc.nat(10_000).map(String), index: fc.nat(3) }),
    {
      selector: (sent) => `${sent.lane}/${sent.sequence}/${sent.index}`,
      maxLength: 60,
    },
  )
  .map((events) => events.toSorted(comparePlaces));

describe("selectRows", () => {
  it("takes every event once, however the producer repeats itself and the batches fall", () => {
    fc.assert(
      fc.property(
        sentEvents,
        fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        (events, crashes, size) => {
          const stream = crashes.reduce((line, [at, back]) => repeatFrom(line, at, back), events);
          const ids: string[] = [];
          let state: LakeState | undefined;
          for (let start = 0; start < stream.length; start += size) {
            const batch = stream.slice(start, start + size).map((sent) => entryOf(sent));
            ids.push(...idsOf(batch, state));
            state = selectRows(batch, state).state;
          }
          expect(ids.toSorted()).toEqual(
            events.map((sent) => `${sent.lane}/${sent.sequence}/${sent.index}`).toSorted(),
          );
        },
      ),
    );
  });

  it("does not change the state it was given, so that a batch tried again is the same batch", () => {
    const state: LakeState = { fences: { 1: "5:0" } };
    const batch = [entryOf({ lane: 1, sequence: "6", index: 0 })];
    expect(idsOf(batch, state)).toEqual(idsOf(batch, state));
    expect(state).toEqual({ fences: { 1: "5:0" } });
  });

  it.each([
    ["no header line", Buffer.from("{}")],
    ["no JSON", Buffer.from("nonsense\n{}")],
    ["null", Buffer.from("null\n{}")],
    [
      "no lane",
      Buffer.from(
        '{"client_id":"a","event_id":"b","timestamp":"2026-11-21T10:00:00Z","source":{"sequence":"1","index":0}}\n{}',
      ),
    ],
    ["no timestamp", Buffer.from('{"client_id":"a","event_id":"b","lane":1,"source":{"sequence":"1","index":0}}\n{}')],
    [
      "a year before the first",
      Buffer.from(
        '{"client_id":"a","event_id":"b","lane":1,"timestamp":"-000044-03-15T10:00:00Z","source":{"sequence":"1","index":0}}\n{}',
      ),
    ],
    ["broken UTF-8", Buffer.concat([entryOf({ lane: 1, sequence: "1", index: 0 }).data, Buffer.from([0xff])])],
  ])("sets aside an entry with %s and goes on", (_, data) => {
    const good = entryOf({ lane: 1, sequence: "7", index: 0 });
    const selection = selectRows([{ sequence: "1", index: 0, data, arrivedAtMs: 0 }, good], undefined);
    expect(selection.rejected).toHaveLength(1);
    expect(selection.rejected[0]?.reason).not.toBe("");
    expect(selection.rows.map((row) => row.entry)).toEqual([good]);
  });
});

it("sets aside once what the enricher put on the stream twice", () => {
  const sent = { lane: 1, sequence: "7", index: 0 };
  const broken = { ...entryOf(sent), data: Buffer.concat([entryOf(sent).data, Buffer.from([0xff])]) };
  const first = selectRows([broken], undefined);
  expect(first.rejected).toMatchObject([{ reason: "not UTF-8", clientId: "demo", eventId: "1/7/0" }]);
  expect(selectRows([broken], first.state)).toMatchObject({ rows: [], rejected: [], repeated: 1 });
});

/** A producer that crashed at `at` begins again `back` events before. */
function repeatFrom(line: readonly Sent[], at: number, back: number): Sent[] {
  const crash = Math.min(at, line.length);
  return [...line.slice(0, crash), ...line.slice(Math.max(0, crash - back))];
}
