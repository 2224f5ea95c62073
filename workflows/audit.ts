/** Every workflow of the task queue "audit": what its worker bundles. */
export { auditHours } from "./audit/hours.ts";
