/** Every workflow of the task queue "backfill": what its worker bundles. */
export { backfillEvents } from "./backfill/backfill.ts";
