import type { DailyAggregate } from "./aggregate.ts";
import { activity } from "./aggregates/activity.ts";
import { personDays } from "./aggregates/person-days.ts";
import { categoryPerformance, productCategory, productPerformance } from "./aggregates/product-performance.ts";
import { purchases } from "./aggregates/purchases.ts";
import { sessions } from "./aggregates/sessions.ts";

/** What ETL computes, in this order: a new one is a file in aggregates/, a table in the schema `analytics`, and a line here. */
export const DAILY_AGGREGATES: readonly DailyAggregate[] = [
  productPerformance,
  categoryPerformance,
  productCategory,
  activity,
  sessions,
  purchases,
  personDays,
];
