import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decodeAggregated, encodeAggregated, type Portion } from "./aggregation.ts";
import { packRecords, unpackRecords } from "./packing.ts";

const small = fc.uint8Array({ maxLength: 200 });
const wordy = fc
  .tuple(fc.string(), fc.nat({ max: 2_000 }))
  .map(([text, count]) => Buffer.from(`{"a":"${text.repeat(count)}"}`));
const noise = fc.uint8Array({ minLength: 5_000, maxLength: 9_000 });
const portionOf = (data: readonly Uint8Array[]): Portion => ({ partitionKey: "lane-1", hashKey: "1", records: data });
const records = fc.array(fc.oneof(small, wordy, noise), { maxLength: 12 });

test("comes back as it went in, record by record", () => {
  fc.assert(
    fc.property(records, (data) => {
      const back = data.map((bytes) => ({ hashKey: "1", data: Buffer.from(bytes) }));
      expect(unpackRecords(packRecords([portionOf(data)]))).toEqual(back);
    }),
  );
});

test("is never larger than without packing, and much smaller for what repeats itself", () => {
  fc.assert(
    fc.property(records, (data) => {
      const plain = encodeAggregated([portionOf(data)]);
      expect(packRecords([portionOf(data)]).length).toBeLessThanOrEqual(plain.length);
    }),
  );
  const events = Array.from({ length: 100 }, (_, i) =>
    Buffer.from(`{"event_type":"product_view","n":${i},"page":"/shop"}`.repeat(5)),
  );
  expect(packRecords([portionOf(events)]).length).toBeLessThan(2_000);
});

test("stays an aggregated record to everyone else", () => {
  const packed = packRecords([portionOf([Buffer.alloc(20_000, "abc")])]);
  expect(decodeAggregated(packed)).toHaveLength(1);
  expect(decodeAggregated(packed)[0]?.data.length).toBeLessThan(200);
});

test("what is not ours comes back as it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(unpackRecords(bytes)).toEqual([{ hashKey: null, data: Buffer.from(bytes) }]);
    }),
  );
  const brokenFrame = Buffer.from("28b52ffd00ff00ff", "hex");
  expect(unpackRecords(encodeAggregated([portionOf([brokenFrame])]))).toEqual([{ hashKey: "1", data: brokenFrame }]);
});
