import { type Logger, pino } from "pino";

import type { Config } from "./config.ts";

export type { Logger };

/**
 * One line of JSON for each thing worth knowing. Never a payload, an address or a token: the paths below are a net under
 * that rule, not a reason to log them. `request_id` follows an event from the HTTP request to the message.
 */
export function createLogger(service: string, config: Pick<Config, "LIVORA_LOG_LEVEL">): Logger {
  return pino({
    level: config.LIVORA_LOG_LEVEL,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ["*.authorization", "authorization", "*.email", "*.phone", "*.push_token", "*.body", "*.to", "*.token"],
      censor: "[redacted]",
    },
  });
}
