/** Every workflow of the task queue "shards": what its worker bundles. */
export { scaleShards } from "./shard-scaling/scale-shards.ts";
