import { expect, test } from "vitest";

import { AppError } from "../../core/errors.ts";
import type { Event } from "../../core/event.ts";
import { laneOf, type Position } from "../../core/position.ts";
import type { StreamProducer } from "../stream/types.ts";
import { makeEvent } from "../../test/support/shop-event.ts";
import { createAppendStep } from "./append.ts";

const PROVENANCE = { client_id: "demo", received_at: "2026-11-21T10:00:00.000Z", request_id: "r-1" };
const turn = () => new Promise((resolve) => setImmediate(resolve));
const slicesOf = (events: readonly Event[]) => events.map((event) => Buffer.from(JSON.stringify(event)));

/** A stream that acknowledges, or refuses, each append when it is told to. */
function createSlowProducer() {
  const asked: { lane: number; acknowledge(): void; refuse(): void }[] = [];
  const producer: StreamProducer = {
    append: (lane) =>
      new Promise<Position>((resolve, reject) => {
        const acknowledge = () => resolve({ shard: `shard-${lane}`, sequence: "7", index: 10 });
        asked.push({ lane, acknowledge, refuse: () => reject(new AppError("unavailable", "away")) });
      }),
    pendingBytes: 0,
    close: async () => {},
  };
  return { asked, producer };
}

test.each([1, 40])("%i events: answered once the stream has acknowledged every lane, not before", async (count) => {
  const { asked, producer } = createSlowProducer();
  const events = Array.from({ length: count }, (_, i) => makeEvent({ session_id: `session ${i}` }) as Event);
  let isAnswered = false;
  const answering = createAppendStep(producer)(events, slicesOf(events), PROVENANCE).finally(() => (isAnswered = true));
  const lanes = new Set(events.map((event) => laneOf(event.session_id ?? "")));
  expect(new Set(asked.map(({ lane }) => lane))).toEqual(lanes);
  for (const { acknowledge } of asked) {
    await turn();
    expect(isAnswered).toBe(false);
    acknowledge();
  }
  const seen = new Map<number, number>();
  const expected = events.map((event) => {
    const lane = laneOf(event.session_id ?? "");
    const before = seen.get(lane) ?? 0;
    seen.set(lane, before + 1);
    return { shard: `shard-${lane}`, sequence: "7", index: 10 + before };
  });
  expect(await answering).toEqual(expected);
});

test("a lane that the stream does not take in time refuses the request, whatever becomes of the others", async () => {
  const { asked, producer } = createSlowProducer();
  const events = Array.from({ length: 40 }, (_, i) => makeEvent({ session_id: `session ${i}` }) as Event);
  const answering = createAppendStep(producer)(events, slicesOf(events), PROVENANCE);
  for (const { acknowledge } of asked.slice(0, -1)) acknowledge();
  await turn();
  asked.at(-1)?.refuse();
  await expect(answering).rejects.toMatchObject({ code: "unavailable" });
});
