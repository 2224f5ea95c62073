import * as fc from "fast-check";
import { expect, test } from "vitest";

import { bytesOfEntry, createJournalReader, encodeClient, type JournalEntry, writeEntry } from "./edge-journal.ts";

const entries = fc.array(
  fc.record({
    acknowledgedAtMs: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
    ageMs: fc.integer({ min: 0, max: 60_000 }),
    client: fc.integer({ min: 0, max: 2 }),
    envelope: fc.integer({ min: 1, max: 0xffff_ffff }),
    eventIds: fc.array(fc.uuid(), { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 20 },
);
const CLIENTS = ["demo", "größer", "x"];

function encode(given: readonly (JournalEntry & { client: number })[]): Buffer {
  const parts = CLIENTS.map((name, client) => encodeClient(client, name));
  for (const { client, ...entry } of given) {
    const part = Buffer.alloc(bytesOfEntry(entry.eventIds.length));
    expect(writeEntry(part, 0, client, entry)).toBe(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

test("what is noted is read again, in whatever pieces, and as far as it goes", () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 97 }), fc.nat(), (given, pieceBytes, cut) => {
      const noted = given.map(({ ageMs, ...entry }) => ({
        ...entry,
        receivedAtMs: entry.acknowledgedAtMs - ageMs,
        clientId: CLIENTS[entry.client] ?? "",
      }));
      const whole = encode(noted);
      const data = whole.subarray(0, Math.max(encode([]).length, whole.length - (cut % 40)));
      const reader = createJournalReader();
      const read: JournalEntry[] = [];
      for (let at = 0; at < data.length; at += pieceBytes)
        read.push(...reader.read(data.subarray(at, at + pieceBytes)));
      const expected = noted.map(({ acknowledgedAtMs, receivedAtMs, clientId, envelope, eventIds }) => {
        return { acknowledgedAtMs, receivedAtMs, clientId, envelope, eventIds };
      });
      // A cut takes those that it has touched, and no other.
      const torn = noted.findIndex((_, n) => encode(noted.slice(0, n + 1)).length > data.length);
      expect(read).toEqual(torn < 0 ? expected : expected.slice(0, torn));
    }),
  );
});

test("ids in capitals are the same ids", () => {
  const id = "ABCDEF01-2345-4678-9ABC-DEF012345678";
  const data = Buffer.alloc(bytesOfEntry(1));
  writeEntry(data, 0, 0, { acknowledgedAtMs: 2, receivedAtMs: 1, envelope: 1, eventIds: [id] });
  const [entry] = createJournalReader().read(Buffer.concat([encodeClient(0, "demo"), data]));
  expect(entry?.eventIds).toEqual([id.toLowerCase()]);
});
