import * as fc from "fast-check";
import { expect, test } from "vitest";

import { allHold, type Condition } from "../../core/condition.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { useWarehouse } from "../../test/support/use-warehouse.ts";
import { allHoldSql } from "./condition-sql.ts";

const { warehouse } = useWarehouse();

const key = fc.constantFrom("a", "b", "a.b", "a/b", "a~1b", "it's", '"', "0", "");
const scalar = fc.oneof(
  fc.constantFrom("", "a", "ab", "1", "true", "null", "it's", '"quoted"', "ü"),
  fc.constantFrom(0, 1, -1, 1.5, 1e21, 9_007_199_254_740_991),
  fc.boolean(),
);
const value = fc.oneof(scalar, fc.constant(null), fc.array(scalar, { maxLength: 3 }));
const props = fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value, { maxKeys: 3 })), {
  minKeys: 3,
  maxKeys: 9,
});
const condition = fc.record<Condition>({
  path: fc.oneof(
    { weight: 3, arbitrary: key.filter((path) => path !== "") },
    { weight: 1, arbitrary: fc.tuple(key, key).map((keys) => keys.join(".")) },
  ),
  op: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "exists"),
  value,
});

test("conditions hold in SQL when they hold in JavaScript", async () => {
  let held = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(condition, { maxLength: 2 }), props, async (conditions, facts) => {
      const json = `CAST(${quote(JSON.stringify(facts))} AS VARCHAR)`;
      const rows = await warehouse.use((connection) =>
        connection.runAndReadAll(`SELECT ${allHoldSql(conditions, "props")} FROM (SELECT ${json} AS props)`),
      );
      const wanted = allHold(conditions, facts);
      if (conditions.length > 0 && wanted) held++;
      expect(rows.getRowsJson()).toEqual([[wanted]]);
    }),
    { numRuns: 1_000 },
  );
  expect(held).toBeGreaterThan(50);
});
