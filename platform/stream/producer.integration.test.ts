import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { comparePlaces, hashKeyOfLane, LANES, laneOf, type Position } from "../../core/position.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { type FaultyKinesis, type PutFate, startFaultyKinesis } from "../../test/support/faulty-kinesis.ts";
import { readStream, type StreamRecord } from "../../test/support/stream-reader.ts";
import { type Context, createContext } from "../context.ts";
import { createStreamProducer } from "./producer.ts";

const FATES: PutFate[] = ["pass", "partial", "throttle", "error", "reset-before", "reset-after", "hang"];

let direct: Context;
let faulty: FaultyKinesis;
let throughFaults: Context;
/** Every fate comes up, in an order that repeats itself. */
let puts = 0;
beforeAll(async () => {
  direct = await createIsolatedContext();
  faulty = await startFaultyKinesis(
    direct.config.LIVORA_KINESIS_URL,
    () => FATES[(puts++ * 5) % FATES.length] ?? "pass",
  );
  throughFaults = createContext("test", { ...direct.config, LIVORA_KINESIS_URL: faulty.url });
});
afterAll(async () => {
  await throughFaults.close();
  await faulty.close();
  await direct.close();
});

interface Appended {
  lane: number;
  text: string;
  position: Position;
}

/** Requests that come and go, each with something for a few sessions. */
async function appendMany(count: number): Promise<Appended[]> {
  const retries: string[] = [];
  const producer = createStreamProducer({
    kinesis: throughFaults.kinesis,
    stream: direct.config.LIVORA_STREAM_EVENTS,
    deadlineMs: 60_000,
    putTimeoutMs: 700,
    onRetry: (reason) => retries.push(reason),
  });
  const appended: Promise<Appended>[] = [];
  for (let i = 0; i < count; i++) {
    const lane = laneOf(`session ${i % 60}`);
    const text = `${i}`;
    const position = producer.append(lane, Buffer.from(text), 3);
    appended.push(position.then((position) => ({ lane, text, position })));
    if (i % 25 === 0) await sleep(10);
  }
  const all = await Promise.all(appended);
  await producer.close();
  expect(new Set(retries)).toContain("ProvisionedThroughputExceededException");
  return all;
}

/** The entries of a lane as a consumer meets them, each first time only. */
function firstTimes(records: readonly StreamRecord[], lane: number): string[] {
  const inLane = records.flatMap(({ parts }) => parts.filter(({ hashKey }) => hashKey === hashKeyOfLane(lane)));
  return [...new Set(inLane.map(({ data }) => data.toString()))];
}

test("partial failures, throttles, resets and hangs: all is kept, in order within its lane, where the answer says", async () => {
  const appended = await appendMany(800);
  const records = await readStream(direct.kinesis, direct.config.LIVORA_STREAM_EVENTS);
  expect(new Set(faulty.met.keys())).toEqual(new Set(FATES));
  for (let lane = 0; lane < LANES; lane++) {
    const sent = appended.filter((entry) => entry.lane === lane);
    expect(firstTimes(records, lane)).toEqual(sent.map((entry) => entry.text));
    const places = sent.map((entry) => entry.position);
    expect(places.toSorted(comparePlaces)).toEqual(places);
  }
  const bySequence = new Map(records.map((record) => [`${record.shard} ${record.sequence}`, record]));
  for (const { text, position } of appended) {
    const record = bySequence.get(`${position.shard} ${position.sequence}`);
    expect(record?.parts[position.index / 3]?.data.toString()).toBe(text);
  }
});
