import { readFileSync } from "node:fs";

import type { Spending } from "../../core/lifetime-value/gamma-gamma.ts";
import type { PurchaseSummary } from "../../core/lifetime-value/purchase-summary.ts";

const FILE = new URL("../fixtures/cdnow-sample.csv", import.meta.url);

/** The customers of the published CDNOW sample as they stood on 1997-09-30: weeks and dollars. Published results exist for them. */
export function readCdnowSample(): (PurchaseSummary & Spending)[] {
  const [, ...rows] = readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return rows.flatMap((row) => {
    const [frequency, recency, age, cents, customers] = row.split(",").map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const mean = frequency === 0 ? 0 : cents / 100 / frequency;
    return Array.from({ length: customers }, () => ({ frequency, recency: recency / 7, age: age / 7, mean }));
  });
}
