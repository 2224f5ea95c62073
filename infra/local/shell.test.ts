import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, it } from "vitest";

import { ROOT } from "./paths.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

const folder = makeTemporaryFolder();
const requests: { method: string; url: string; key: string; type: string; body: string }[] = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const { authorization: key = "", "content-type": type = "" } = request.headers;
    requests.push({ method: request.method!, url: request.url!, key, type, body });
    response.end("answer");
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoints = { api: url, workers: url, api_key: "k", client_id: "c", outbox: "o", temporal_address: "t:1" };
  writeFileSync(join(folder, "endpoints.json"), JSON.stringify(endpoints));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (command: string, env: NodeJS.ProcessEnv = {}) => {
  const options = { cwd: ROOT, env: { ...process.env, LIVORA_DATA_DIR: folder, ...env } };
  return (await promisify(execFile)("bash", ["-c", `. infra/local/shell.sh; ${command}`], options)).stdout;
};

it("knows the stack of the data folder", async () => {
  expect(await run("echo $CLIENT $OUTBOX $TEMPORAL_ADDRESS $KEY")).toBe("c o t:1 k\n");
});

it("asks the API, with JSON where there is some and only then", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "text");
  expect(await run(`ask POST 'things?a=b' -d '{"a": 1}'; ask GET things; ask POST files -F file=@${file}`)).toBe(
    "answer\nanswer\nanswer\n",
  );
  const [json, bare, form] = requests.splice(0);
  const common = { key: "Bearer k" };
  expect(json).toMatchObject({ ...common, method: "POST", url: "/api/v1/things?a=b", type: "application/json" });
  expect(json!.body).toBe('{"a": 1}');
  expect(bare).toMatchObject({ ...common, method: "GET", url: "/api/v1/things", type: "" });
  expect(form!.type).toContain("multipart/form-data");
  await run("metrics workers");
  expect(requests.splice(0)).toMatchObject([{ method: "GET", url: "/metrics" }]);
});

it("reads Parquet and what else DuckDB reads", async () => {
  expect(await run(`duck "SELECT 42 AS answer UNION ALL SELECT 43 ORDER BY 1"; echo 'SELECT 1 AS one' | duck`)).toBe(
    '{"answer":42}\n{"answer":43}\n{"one":1}\n',
  );
});

it("runs the newest Temporal CLI of the cache, the one that is named, or the one on the PATH", async () => {
  const program = (...path: string[]) => {
    const file = join(folder, ...path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho ${path[0]} "$@"\n`, { mode: 0o755 });
    return file;
  };
  const onPath = join(program("path", "temporal"), "..");
  const PATH = `${onPath}:${process.env["PATH"]}`;
  const empty = { PATH, LIVORA_CACHE: join(folder, "nothing"), TEMPORAL_CLI_PATH: "" };
  expect(await run("temporal a b", empty)).toBe("path a b\n");
  program("cache", "temporal-cli-v1", "temporal");
  const full = { ...empty, LIVORA_CACHE: join(folder, "cache") };
  expect(await run("temporal a b", full)).toBe("cache a b\n");
  expect(await run("temporal a b", { ...full, TEMPORAL_CLI_PATH: program("named") })).toBe("named a b\n");
});

it("takes the environment where there is no stack", () => {
  const env = { ...process.env, LIVORA_DATA_DIR: join(folder, "nothing"), API: "https://api.example" };
  const command = ". infra/local/shell.sh 2>/dev/null; echo $API";
  expect(execFileSync("bash", ["-c", command], { cwd: ROOT, env, encoding: "utf8" })).toBe("https://api.example\n");
});
