import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { MAX_EVENT_BYTES } from "../../core/event.ts";
import { admitEach } from "./admit.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

function textOf(more: object = {}): string {
  const event = {
    event_id: randomUUID(),
    timestamp: "2001-01-01T00:00:00Z",
    client_id: "demo",
    user_id: "u",
    event_type: "order",
  };
  return JSON.stringify({ ...event, ...more });
}
const admitted = (texts: string[]) => {
  const { events, slices, refused } = admitEach(texts, "demo", NOW);
  expect(slices.map(String)).toEqual(texts.filter((_, place) => !refused.has(place)));
  expect(events.map((event) => event.event_id)).toEqual(slices.map((slice) => JSON.parse(String(slice)).event_id));
  return Object.fromEntries(refused);
};

test("takes all that the edge would take, in order, however many and however old", () =>
  expect(admitted(Array.from({ length: 250 }, () => textOf()))).toEqual({}));

test("refuses each for itself, with every fault, and takes its neighbours", () => {
  const deep = `${'{"a":'.repeat(2_000)}1${"}".repeat(2_000)}`;
  const texts = [
    textOf(),
    textOf({ event_type: "x".repeat(129), user_id: null }),
    textOf({ client_id: "other" }),
    textOf({ timestamp: "2026-11-21T12:00:00Z" }),
    textOf({ props: { note: "x".repeat(MAX_EVENT_BYTES) } }),
    `${textOf().slice(0, -1)},"props":${deep}}`,
    textOf({ props: JSON.parse('{"__proto__":1}') as object }),
    textOf(),
  ];
  const refused = admitted(texts);
  expect(Object.keys(refused)).toEqual(["1", "2", "3", "4", "5", "6"]);
  const reasons = Object.values(refused).map((faults) => faults.map(({ path, reason }) => `${path}: ${reason}`));
  expect(reasons).toEqual([
    [expect.stringMatching(/^\/event_type: /), expect.stringMatching(/^\/session_id: one of session_id/)],
    ["/client_id: not the client of the token"],
    ["/timestamp: more than 60 minutes ahead"],
    [expect.stringMatching(/^: \d+ bytes, at most 262144$/)],
    [": nested deeper than 32"],
    ["/props/__proto__: the key __proto__ is not allowed"],
  ]);
});
