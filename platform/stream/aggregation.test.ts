import { createHash } from "node:crypto";

import kinesisAggregation from "aws-kinesis-agg";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { hashKeyOfLane, LANES } from "../../core/position.ts";
import {
  AGGREGATION_OVERHEAD,
  decodeAggregated,
  encodeAggregated,
  type Portion,
  type UserRecord,
} from "./aggregation.ts";

/** What the library exports; its own types miss half of it. */
interface Library {
  RecordAggregator: new () => {
    addUserRecord(record: { partitionKey: string; explicitHashKey?: string; data: Buffer }): void;
    build(): { data: Buffer };
  };
  deaggregateSync(
    record: { data: string; partitionKey: string; sequenceNumber: string },
    checksums: boolean,
    done: (
      error: Error | null,
      records: { partitionKey: string; explicitPartitionKey: string; data: string }[],
    ) => void,
  ): void;
}
const agg = kinesisAggregation as unknown as Library;

const records = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
    fc.integer({ min: 0x3f00, max: 0x8100 }).map((length) => new Uint8Array(length).fill(length)),
  ),
  { minLength: 1, maxLength: 40 },
);
const lanes = fc.nat({ max: LANES - 1 });
const portionOf = (lane: number, records: Uint8Array[]): Portion => ({
  partitionKey: `lane-${lane}`,
  hashKey: hashKeyOfLane(lane),
  records,
});
const dataOf = (found: UserRecord[]) => found.map(({ data }) => data);
const asItIs = (bytes: Uint8Array): UserRecord => ({ hashKey: null, data: Buffer.from(bytes) });
const buffers = (data: Uint8Array[]) => data.map((bytes) => Buffer.from(bytes));

/** As the library sees it: the user records of one Kinesis record. */
function deaggregate(data: Buffer) {
  let found: { partitionKey: string; explicitPartitionKey: string; data: Buffer }[] = [];
  const record = { data: data.toString("base64"), partitionKey: "outer", sequenceNumber: "1" };
  agg.deaggregateSync(record, true, (error, userRecords) => {
    if (error) throw error;
    found = userRecords.map((userRecord) => ({ ...userRecord, data: Buffer.from(userRecord.data, "base64") }));
  });
  return found;
}

test("the library reads what we write: data, order, keys", () => {
  fc.assert(
    fc.property(lanes, records, (lane, data) => {
      const read = deaggregate(encodeAggregated([portionOf(lane, data)]));
      expect(read.map((record) => record.data)).toEqual(buffers(data));
      expect(new Set(read.map((record) => record.partitionKey))).toEqual(new Set([`lane-${lane}`]));
      expect(new Set(read.map((record) => record.explicitPartitionKey))).toEqual(new Set([hashKeyOfLane(lane)]));
    }),
  );
});

test("we read what the library writes, under whatever keys", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/), fc.uint8Array({ minLength: 1 })), { minLength: 1 }),
      (rows) => {
        const aggregator = new agg.RecordAggregator();
        for (const [partitionKey, data] of rows) aggregator.addUserRecord({ partitionKey, data: Buffer.from(data) });
        const built = aggregator.build();
        expect(dataOf(decodeAggregated(built.data))).toEqual(buffers(rows.map(([, data]) => data)));
      },
    ),
  );
});

test("byte for byte what the library writes, and each record comes back under its key", () => {
  const lanesOfShard = fc.uniqueArray(fc.tuple(lanes, records), { selector: ([lane]) => lane, minLength: 1 });
  fc.assert(
    fc.property(lanesOfShard, (portions) => {
      const aggregator = new agg.RecordAggregator();
      for (const [lane, data] of portions) {
        const keys = { partitionKey: `lane-${lane}`, explicitHashKey: hashKeyOfLane(lane) };
        for (const bytes of data) aggregator.addUserRecord({ ...keys, data: Buffer.from(bytes) });
      }
      const encoded = encodeAggregated(portions.map(([lane, data]) => portionOf(lane, data)));
      expect(encoded.equals(aggregator.build().data)).toBe(true);
      const expected = portions.flatMap(([lane, data]) => data.map(() => hashKeyOfLane(lane)));
      expect(decodeAggregated(encoded).map(({ hashKey }) => hashKey)).toEqual(expected);
    }),
  );
});

test("empty records survive, and the overhead is bounded", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (data) => {
      const encoded = encodeAggregated([portionOf(1, data)]);
      expect(dataOf(decodeAggregated(encoded))).toEqual(buffers(data));
      const net = data.reduce((sum, bytes) => sum + bytes.length, 0);
      expect(encoded.length - net).toBeLessThanOrEqual(AGGREGATION_OVERHEAD * data.length + 96);
    }),
  );
});

test("what is not aggregated is taken as it is: any bytes, a broken digest, a broken message under a right digest", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodeAggregated(bytes)).toEqual([asItIs(bytes)]);
    }),
  );
  const broken = encodeAggregated([portionOf(1, [Buffer.from("a")])]);
  broken[6] = (broken[6] ?? 0) ^ 1;
  expect(decodeAggregated(broken)).toEqual([asItIs(broken)]);
  const message = Buffer.from([0x1a, 0x7f, 0x01]);
  const cut = Buffer.concat([Buffer.from("f3899ac2", "hex"), message, createHash("md5").update(message).digest()]);
  expect(decodeAggregated(cut)).toEqual([asItIs(cut)]);
});
