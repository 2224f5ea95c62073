import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Redis } from "ioredis";

import { awsOptions } from "./aws-options.ts";
import type { Config } from "./config.ts";
import { createLogger, type Logger } from "./logger.ts";
import { connectPostgres, type Database } from "./postgres/database.ts";

/** What a service needs of the world outside. Tests hand in what they want to stand in. */
export interface Context {
  config: Config;
  log: Logger;
  /** As owner: sees all clients. Name the client in every statement. */
  db: Database;
  redis: Redis;
  kinesis: KinesisClient;
  dynamodb: DynamoDBClient;
  close(): Promise<void>;
}

/** Nothing connects before its first use, so a service that is started before its database comes up waits, not dies. */
export function createContext(service: string, config: Config, overrides: Partial<Context> = {}): Context {
  const log = overrides.log ?? createLogger(service, config);
  const postgres = connectPostgres(config.LIVORA_POSTGRES_URL, log);
  const redis =
    overrides.redis ??
    new Redis(config.LIVORA_REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: 1, enableOfflineQueue: true });
  redis.on("error", (error: Error) => log.debug({ err: error.message }, "redis"));
  const kinesis = overrides.kinesis ?? new KinesisClient(awsOptions(config, config.LIVORA_KINESIS_URL));
  const dynamodb = overrides.dynamodb ?? new DynamoDBClient(awsOptions(config, config.LIVORA_DYNAMODB_URL));
  return {
    config,
    log,
    db: overrides.db ?? postgres.db,
    redis,
    kinesis,
    dynamodb,
    async close() {
      redis.disconnect();
      kinesis.destroy();
      dynamodb.destroy();
      await postgres.close();
    },
  };
}
