import { isAnalytics } from "./answer-cached.ts";
import type { JsonRoute, Route } from "./route.ts";

const ANALYTICS = "/api/v1/analytics/";

/** What can be asked about, by what follows `/api/v1/analytics/`. */
export type Reports = ReadonlyMap<string, JsonRoute>;

/** Every route of analytics, but those that ask how far a question has come. */
export function collectReports(routes: readonly Route[]): Reports {
  const reports = routes.filter(
    (route): route is JsonRoute => route.kind === "json" && isAnalytics(route) && route.cache !== false,
  );
  return new Map(reports.map((route) => [route.path.slice(ANALYTICS.length), route]));
}

/** Whether it may be shown to those who have no key: it names nobody, and whoever may read may read it. */
export function isPublishable({ access, scope }: JsonRoute): boolean {
  return access === undefined && scope === "read";
}
