import { DAY_MS } from "./time.ts";

/** Who began when: with the first purchase, or with the first event of any kind. */
export const COHORT_BY = ["first_purchase", "first_seen"] as const;
export type CohortBy = (typeof COHORT_BY)[number];

export const COHORT_PERIODS = ["day", "week", "month"] as const;
export type CohortPeriod = (typeof COHORT_PERIODS)[number];

/** How many periods a cohort is followed: else the days of three years would be half a million figures that nobody looks at. */
export const FOLLOWED: Readonly<Record<CohortPeriod, number>> = { day: 90, week: 104, month: 120 };

/** The first day of the period that the day lies in. Weeks begin on Monday (ISO 8601). */
export function periodOf(period: CohortPeriod, day: string): string {
  if (period === "day") return day;
  if (period === "month") return `${day.slice(0, 7)}-01`;
  const ms = Date.parse(`${day}T00:00:00Z`);
  const sinceMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return new Date(ms - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}

/** How many periods lie between the beginnings of two of them. */
export function periodsBetween(period: CohortPeriod, from: string, to: string): number {
  if (period === "month") return monthNumber(to) - monthNumber(from);
  const days = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS;
  return period === "week" ? days / 7 : days;
}

function monthNumber(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
}
