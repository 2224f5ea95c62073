import { rmSync } from "node:fs";
import { join } from "node:path";

import { DefaultLogger, Runtime } from "@temporalio/worker";
import { expect, it } from "vitest";

import { createDeliveryContext } from "../delivery/context.ts";
import { startTemporal } from "../infra/local/parts/temporal.ts";
import { findFreePorts } from "../infra/local/ports.ts";
import { makeTemporaryFolder } from "../infra/local/temporary-folder.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { connectJourneys } from "../platform/temporal.ts";
import { Registry } from "prom-client";
import { createTestContext } from "../test/support/context.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createJourneyWorker } from "./journey.ts";
import { runWorkers } from "./run-workers.ts";

it("waits for a Temporal that is not there yet, and drains when told to", async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR"), shutdownSignals: [] });
  const folder = makeTemporaryFolder();
  const [port] = await findFreePorts(1);
  const base = createTestContext({
    LIVORA_TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    LIVORA_TEMPORAL_NAMESPACE: "default",
  });
  const producer = createStreamProducer({ kinesis: base.kinesis, stream: base.config.LIVORA_STREAM_EVENTS });
  const ctx = createDeliveryContext(base, { producer, registry: new Registry() });
  const journeys = connectJourneys(base.config);
  let ready = 0;
  const workers = runWorkers({
    config: base.config,
    log: base.log,
    create: [(connection) => createJourneyWorker({ ctx, journeys }, connection)],
    onReady: () => (ready += 1),
  });
  const options = { dir: join(folder, "temporal"), port: port!, webPort: null, log: join(folder, "temporal.log") };
  const temporal = await startTemporal(options);
  await waitUntil(() => ready === 1, { what: "the workers are ready" });
  await workers.stop();
  await Promise.all([temporal.stop(), journeys.close(), producer.close(), base.close()]);
  rmSync(folder, { recursive: true, force: true });
  expect(ready).toBe(1);
});
