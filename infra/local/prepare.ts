import type { Report } from "./artifacts/artifact.ts";
import { findRedis } from "./artifacts/redis.ts";
import { findTemporalCli } from "./artifacts/temporal-cli.ts";
import { findTemporalTestServer } from "./artifacts/temporal-test-server.ts";
import { runTasks } from "./progress.ts";

const artifacts: { title: string; find: (report: Report) => Promise<string> }[] = [
  { title: "Temporal", find: findTemporalCli },
  { title: "Temporal's test server", find: findTemporalTestServer },
  { title: "Redis", find: findRedis },
];

/** Everything the tests need that npm does not install, found or built, side by side. */
export async function prepareArtifacts(): Promise<void> {
  await runTasks(artifacts.map(({ title, find }) => ({ title, run: async (report) => void (await find(report)) })));
}
