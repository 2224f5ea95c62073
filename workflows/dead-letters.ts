/** Every workflow of the task queue "dead-letters": what its worker bundles. */
export { replayDeadLetters } from "./dead-letter-replay/replay.ts";
