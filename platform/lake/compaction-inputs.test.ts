import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { rangeFileName } from "../../core/lake.ts";
import { type FoundFile, selectInputs, selectSettled, SMALL_BYTES } from "./compaction-inputs.ts";

const files = fc
  .uniqueArray(fc.record({ name: fc.nat(999).map((n) => `f${n}`), bytes: fc.nat(3 * SMALL_BYTES) }), {
    selector: (file) => file.name,
    maxLength: 40,
  })
  .map((list): FoundFile[] => list.map((file) => ({ ...file, modifiedAtMs: 0 })));

describe("selectInputs", () => {
  it("comes to an end, with at most one small file left, however duplicates lie", () => {
    fc.assert(
      fc.property(files, fc.array(fc.nat(39)), (start, twice) => {
        let live = start;
        let withDuplicates = new Set(twice.flatMap((i) => start[i]?.name ?? []));
        for (let merges = 0; ; merges++) {
          expect(merges).toBeLessThanOrEqual(start.length);
          const inputs = selectInputs(live, withDuplicates);
          if (inputs.length === 0) break;
          const names = new Set(inputs.map((file) => file.name));
          expect([...withDuplicates].every((name) => names.has(name))).toBe(true);
          const bytes = inputs.reduce((sum, file) => sum + file.bytes, 0);
          live = [...live.filter((file) => !names.has(file.name)), { name: `m${merges}`, bytes, modifiedAtMs: 0 }];
          withDuplicates = new Set();
        }
        expect(live.filter((file) => file.bytes < SMALL_BYTES).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("leaves large files alone that share nothing with others", () => {
    const large = { name: "large", bytes: SMALL_BYTES, modifiedAtMs: 0 };
    const small = { name: "small", bytes: 1, modifiedAtMs: 0 };
    expect(selectInputs([large, small], new Set())).toEqual([]);
    expect(selectInputs([large, small, { ...small, name: "other" }], new Set()).map((file) => file.name)).toEqual([
      "other",
      "small",
    ]);
  });
});

describe("selectSettled", () => {
  const sequences = fc.bigInt({ min: 1n, max: 10n ** 20n });

  it("never takes a file that reaches beyond its shard's checkpoint, or of a shard that is not known", () => {
    fc.assert(
      fc.property(sequences, sequences, fc.boolean(), fc.boolean(), (last, checkpoint, known, ended) => {
        const name = rangeFileName("demo", { shard: "shardId-1", first: "0", last: String(last) });
        const shards = new Map(known ? [["shardId-1", { checkpoint: String(checkpoint), ended }]] : []);
        const settled = selectSettled([{ name, bytes: 1, modifiedAtMs: 5 }], shards, 5);
        expect(settled.length).toBe(known && (ended || last <= checkpoint) ? 1 : 0);
      }),
    );
  });

  it("takes merged files as soon as they are old enough, and nothing of a shard that has not begun", () => {
    const merged = { name: "compacted_0_0.parquet", bytes: 1, modifiedAtMs: 5 };
    const fresh = rangeFileName("demo", { shard: "shardId-1", first: "1", last: "2" });
    const shards = new Map([["shardId-1", { checkpoint: null, ended: false }]]);
    expect(selectSettled([merged, { ...merged, name: fresh }], shards, 5)).toEqual([merged]);
    expect(selectSettled([merged], shards, 4)).toEqual([]);
  });
});
