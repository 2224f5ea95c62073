import { NodeHttpHandler } from "@smithy/node-http-handler";

import type { Config } from "./config.ts";

/** For a client of Kinesis or DynamoDB. An empty endpoint means AWS itself. */
export function awsOptions(config: Pick<Config, "AWS_REGION">, endpoint: string) {
  const local = endpoint !== "";
  return {
    region: config.AWS_REGION,
    maxAttempts: 3,
    // The embedded servers speak HTTP/1.1 only.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      // Else a request beyond its time is only warned of, and waited for without end.
      throwOnRequestTimeout: true,
    }),
    ...(local && { endpoint, credentials: { accessKeyId: "local", secretAccessKey: "local" } }),
  };
}
