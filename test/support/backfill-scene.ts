import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import { makeTemporaryFolder } from "../../infra/local/temporary-folder.ts";
import { startTestApi, type TestApi } from "./api.ts";
import { type AuditSetup, setUpAudit } from "./audit-setup.ts";
import { queryLake } from "./lake-reader.ts";
import { createTemporalNamespace } from "./temporal-namespace.ts";
import { waitUntil } from "./wait-until.ts";

const WORKER = new URL("./backfill-worker.ts", import.meta.url).pathname;

/** As the real one: without a header, the columns by white space, each customer's purchases together. */
export const CDNOW = {
  format: { type: "whitespace", columns: ["customer", "date", "cds", "dollars"] },
  event: {
    event_type: "purchase",
    timestamp: { column: "date", format: "YYYYMMDD", time: "12:00", time_zone: "UTC" },
    user_id: { column: "customer" },
    props: {
      order_id: { template: "cdnow-{$line}" },
      quantity: { column: "cds", type: "integer" },
      revenue: { column: "dollars", type: "decimal" },
      currency: "USD",
    },
  },
};

/** The API, the consumers and processes of backfills' worker, each of which waits for its word. */
export interface BackfillScene {
  t: TestApi;
  setup: AuditSetup;
  /** Of imports. */
  folder: string;
  workers: WorkerProcess[];
  /** Posts a file; answers the backfill's id. */
  send(file: string | Buffer, mapping: object, options?: { query?: string; rate?: number }): Promise<string>;
  look(id: string): Promise<Backfill>;
  /** As it looks at its end. */
  finished(id: string): Promise<Backfill>;
  /** Asks our client's rows of the lake. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- an answer of the API
type Backfill = any;

/** `puts` of each worker: after so many it is deaf, and is to be killed; undefined: it lives. */
export async function createBackfillScene(puts: readonly (number | undefined)[]): Promise<BackfillScene> {
  const folder = makeTemporaryFolder();
  const configFile = join(folder, "config.json");
  const setup = await setUpAudit();
  const { config } = setup.ctx;
  const namespace = await createTemporalNamespace(config.LIVORA_TEMPORAL_ADDRESS);
  const t = await startTestApi({ ...config, LIVORA_TEMPORAL_NAMESPACE: namespace, LIVORA_IMPORT_DIR: folder });
  await writeFile(configFile, JSON.stringify(t.api.config));
  const workers = await Promise.all(puts.map((count) => startWorker(configFile, count)));
  const look = async (id: string) => (await t.call("GET", `/api/v1/backfills/${id}`)).body;
  return {
    t,
    setup,
    folder,
    workers,
    look,
    async send(file, mapping, { query = "", rate = 20_000 } = {}) {
      const form = new FormData();
      form.set("mapping", JSON.stringify(mapping));
      form.set("rate_per_second", String(rate));
      form.set("file", new Blob([new Uint8Array(Buffer.from(file))]), "history.txt");
      const headers = { authorization: `Bearer ${t.ours.api_key}` };
      const response = await fetch(`${t.base}/api/v1/backfills${query}`, { method: "POST", headers, body: form });
      const body = (await response.json()) as { backfill_id: string };
      expect([response.status, body]).toMatchObject([202, { backfill_id: expect.any(String) }]);
      return body.backfill_id;
    },
    async finished(id) {
      await waitUntil(async () => !["running", "paused"].includes((await look(id)).state), { timeoutMs: 60_000 });
      return look(id);
    },
    rows: (sql) => queryLake(setup.lake.root, sql, t.ours.client_id),
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await t.close();
      await setup.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type WorkerProcess = Awaited<ReturnType<typeof startWorker>>;

/** The worker in a process of its own, which waits for the word. */
async function startWorker(configFile: string, puts?: number) {
  const args = [WORKER, configFile, ...(puts === undefined ? [] : [String(puts)])];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  const says = (word: string) => waitUntil(() => said.includes(word), { timeoutMs: 60_000, what: word });
  await says("ready");
  return {
    says,
    begin: () => void child.stdin.write("go\n"),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
