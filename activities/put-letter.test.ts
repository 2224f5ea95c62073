import { expect, test } from "vitest";

import { takeNew } from "../analytics/stream/lane-filter.ts";
import { type ReEntry, reEntryOf } from "../core/dead-letter.ts";
import { decodeEnriched } from "../core/enriched-event.ts";
import { decodeEnvelope } from "../core/envelope.ts";
import type { LetterRow, ReplayRow } from "../platform/dead-letter-replay.ts";
import { makeEnriched } from "../test/support/enriched-events.ts";
import { createSinkProducer } from "../test/support/sink-producer.ts";
import { putLetter } from "./put-letter.ts";

const { event, raw, ...enrichment } = decodeEnriched(
  makeEnriched({ clientId: "demo", number: 7, timestampMs: Date.parse("2026-11-21T10:00:00Z") }),
);
const REPLAY = { id: "replay", client_id: "demo", actor: "key:k", request_id: "r", patch: null } as ReplayRow;

const EVENTS = reEntryOf("decode") as ReEntry;
const AUTOMATION = reEntryOf("automation") as ReEntry;

const letterOf = (more: Partial<LetterRow>) =>
  ({
    id: "letter",
    payload: raw,
    provenance: null,
    enrichment: null,
    created_at: "2026-11-21 11:00:00+00",
    ...more,
  }) as LetterRow;
const streams = () => ({ events: createSinkProducer(), enriched: createSinkProducer() });

test("a letter from before enrichment goes back onto events, byte for byte, as it first came", async () => {
  const to = streams();
  const provenance = { received_at: "2026-11-21T10:00:01.000Z", request_id: "first", ip: "203.0.113.7" };
  const change = await putLetter(to, EVENTS, letterOf({ stage: "sessionize", provenance }), REPLAY);
  const [appended] = to.events.appended;
  const { header, events } = decodeEnvelope(appended!.data);
  expect(appended!.lane).toBe(enrichment.lane);
  expect(events).toEqual([raw]);
  expect(header).toMatchObject({
    client_id: "demo",
    ...provenance,
    replay: { letter_id: "letter", replay_id: "replay" },
  });
  expect(change).toMatchObject({
    id: "letter",
    place: { sequence: "1" },
    event: { actor: "key:k", replay_id: "replay" },
  });
  expect(to.enriched.appended).toEqual([]);
});

test("one of history out of a file is history still", async () => {
  const to = streams();
  const mark = { backfill_id: "b-1", seen_under: "1980-01-01T00:00:00.000Z" };
  const provenance = { received_at: "2026-11-21T10:00:01.000Z", request_id: "first", ...mark };
  await putLetter(to, EVENTS, letterOf({ stage: "sessionize", provenance }), REPLAY);
  expect(decodeEnvelope(to.events.appended[0]!.data).header).toMatchObject(mark);
});

test("a later one goes to the consumer where it failed, and to no other, behind whatever fence", async () => {
  const to = streams();
  await putLetter(to, AUTOMATION, letterOf({ stage: "automation", enrichment }), REPLAY);
  const again = decodeEnriched(to.enriched.appended[0]!.data);
  expect(again).toMatchObject({
    event,
    source: enrichment.source,
    replay: { letter_id: "letter", stage: "automation" },
  });
  const { fences } = takeNew([{ ...enrichment }], {}, "automation");
  expect(takeNew([again], fences, "automation")).toEqual({ fresh: [again], fences });
  expect(takeNew([again], {}, "counters")).toEqual({ fresh: [], fences: {} });
  expect(to.events.appended).toEqual([]);
});

test("one whose event is none stays open and goes nowhere", async () => {
  const to = streams();
  const change = await putLetter(to, EVENTS, letterOf({ stage: "decode", payload: Buffer.from("{") }), REPLAY);
  expect(change).toMatchObject({ state: "open", event: { reason: "not replayed: the event is not JSON" } });
  expect(await putLetter(to, AUTOMATION, letterOf({ stage: "automation" }), REPLAY)).toMatchObject({ state: "open" });
  expect([...to.events.appended, ...to.enriched.appended]).toEqual([]);
});
