import { Connection } from "@temporalio/client";

import type { Config } from "./config.ts";

/** gRPC would wait two minutes between its tries after a long outage; starts that have waited for half an hour need not wait for that, too. */
const CHANNEL = { "grpc.initial_reconnect_backoff_ms": 500, "grpc.max_reconnect_backoff_ms": 3_000 };

/** A connection to Temporal that is made at its first use, so that nobody need wait for Temporal to start. */
export function connectTemporal({ LIVORA_TEMPORAL_ADDRESS }: Pick<Config, "LIVORA_TEMPORAL_ADDRESS">): Connection {
  return Connection.lazy({ address: LIVORA_TEMPORAL_ADDRESS, channelArgs: CHANNEL });
}
