import type { Logger } from "../platform/logger.ts";
import { type RelayContext, relayEvents } from "../platform/relay-events.ts";
import { repeat } from "./repeat.ts";

const EVERY_MS = 250;

/** Puts events that changes owe on the stream, soon after each change, until stopped. */
export function keepRelayingEvents(ctx: RelayContext & { log: Logger }): { stop(): Promise<void> } {
  return repeat(EVERY_MS, async () => {
    await relayEvents(ctx).catch((error: unknown) => {
      ctx.log.warn({ err: (error as Error).message }, "events not relayed");
    });
  });
}
