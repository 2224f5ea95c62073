import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { expect, inject, onTestFinished, test } from "vitest";

import { provisionStreams, provisionTables } from "../infra/local/provision.ts";
import { migrate } from "../platform/postgres/migrate.ts";
import { waitUntil } from "../test/support/wait-until.ts";

test("the process says when it is ready, tells how it fares, and drains when asked to stop", async () => {
  const name = crypto.randomUUID();
  const own = {
    LIVORA_STREAM_EVENTS: `events-${name}`,
    LIVORA_STREAM_ENRICHED: `enriched-${name}`,
    LIVORA_USER_TABLE: `users-${name}`,
    LIVORA_LEASE_TABLE: `leases-${name}`,
    LIVORA_CONSUMERS_METRICS_PORT: 0,
    LIVORA_LOG_LEVEL: "info" as const,
  };
  const config = { ...inject("config"), ...own };
  await Promise.all([provisionStreams(config), provisionTables(config), migrate(config.LIVORA_POSTGRES_URL)]);
  const env = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]));
  const child = spawn(process.execPath, ["analytics/main.ts"], { env: { ...process.env, ...env }, stdio: "pipe" });
  const lines: { msg: string; port?: number }[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line)));
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  await waitUntil(() => lines.some((line) => line.msg === "ready"));
  const url = `http://127.0.0.1:${lines.find((line) => line.msg === "ready")?.port}`;
  await waitUntil(async () => (await fetch(`${url}/readyz`)).status === 200);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await waitUntil(async () =>
    ["enrich", "automation", "lake", "counters"].every((consumer) =>
      lines.some((line) => "consumer" in line && line.consumer === consumer),
    ),
  );
  await waitUntil(async () =>
    (await (await fetch(`${url}/metrics`)).text()).includes('livora_consumer_ms_behind{consumer="enrich"'),
  );
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(lines.at(-1)?.msg).toBe("stopped");
});
