import type { StreamKind } from "../../core/stream-consumers.ts";
import type { Config } from "../config.ts";

/** What this installation calls the stream. */
export function streamOf(
  config: Pick<Config, "LIVORA_STREAM_EVENTS" | "LIVORA_STREAM_ENRICHED">,
  kind: StreamKind,
): string {
  return { events: config.LIVORA_STREAM_EVENTS, enriched: config.LIVORA_STREAM_ENRICHED }[kind];
}
