/** Every workflow of the task queue "etl": what its worker bundles. */
export { etl } from "./etl/etl.ts";
