import { Client, Connection } from "@temporalio/client";
import { NativeConnection, type Worker } from "@temporalio/worker";

import type { Config } from "../../platform/config.ts";

type Where = Pick<Config, "LIVORA_TEMPORAL_ADDRESS" | "LIVORA_TEMPORAL_NAMESPACE">;

export interface TemporalWorker {
  /** In the worker's namespace. */
  client: Client;
  /** Ends when what it has begun is done. */
  stop(): Promise<void>;
  /** Another in its place, as after a deployment. */
  restart(): Promise<void>;
  /** Ends with its connections. */
  close(): Promise<void>;
}

/** A worker that polls until it is stopped, and a client beside it. */
export async function startTemporalWorker(
  config: Where,
  create: (connection: NativeConnection) => Promise<Worker>,
): Promise<TemporalWorker> {
  const address = config.LIVORA_TEMPORAL_ADDRESS;
  const connection = await NativeConnection.connect({ address });
  const client = new Client({
    connection: await Connection.connect({ address }),
    namespace: config.LIVORA_TEMPORAL_NAMESPACE,
  });
  let end: (() => Promise<void>) | undefined;

  async function start(): Promise<void> {
    const worker = await create(connection);
    const running = worker.run();
    end = async () => {
      worker.shutdown();
      await running;
    };
  }
  async function stop(): Promise<void> {
    await end?.();
    end = undefined;
  }

  await start();
  return {
    client,
    stop,
    async restart() {
      await stop();
      await start();
    },
    async close() {
      await stop();
      await client.connection.close();
      await connection.close();
    },
  };
}
