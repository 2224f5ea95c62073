import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

import type { Config } from "./config.ts";
import { describeError } from "./describe-error.ts";

export type { Logger };

/**
 * One line of JSON for each thing worth knowing. Never a payload, an address or a token: the paths below are a net under
 * that rule, not a reason to log them. `request_id` follows an event from the HTTP request to the message.
 */
export function createLogger(
  service: string,
  config: Pick<Config, "LIVORA_LOG_LEVEL">,
  destination?: DestinationStream,
): Logger {
  const options: LoggerOptions = {
    level: config.LIVORA_LOG_LEVEL,
    base: { service },
    serializers: { err: (error: unknown) => describeError(error) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ["*.authorization", "authorization", "*.email", "*.phone", "*.push_token", "*.body", "*.to", "*.token"],
      censor: "[redacted]",
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
