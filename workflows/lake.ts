/** Every workflow of the task queue "lake": what its worker bundles. */
export { compactLake } from "./lake/compact.ts";
