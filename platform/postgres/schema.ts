/** All tables, one file for each subject. `npm run migrations` writes the next migration from what changed here. */
export * from "./schema/analytics.ts";
export * from "./schema/audit.ts";
export * from "./schema/backfills.ts";
export * from "./schema/campaigns.ts";
export * from "./schema/api-keys.ts";
export * from "./schema/clients.ts";
export * from "./schema/dead-letters.ts";
export * from "./schema/deals.ts";
export * from "./schema/deliveries.ts";
export * from "./schema/embeds.ts";
export * from "./schema/etl.ts";
export * from "./schema/experiments.ts";
export * from "./schema/event-outbox.ts";
export * from "./schema/funnel.ts";
export * from "./schema/lake.ts";
export * from "./schema/lifetime.ts";
export * from "./schema/people.ts";
