import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { type Artifact, findOnPath, findOrMake, isExecutable, type Report } from "./artifact.ts";
import { downloadTemporal } from "./temporal-download.ts";

// Newer tags carry a `replace` and cannot be built by `go install`.
const VERSION = "v1.5.1";

const artifact: Artifact = {
  name: `temporal-cli-${VERSION}`,
  program: "temporal",
  ways: [
    {
      label: "downloading the Temporal CLI",
      fill: (folder, report) => downloadTemporal("cli", VERSION, folder, report),
    },
    { label: "building the Temporal CLI with Go (about 3 minutes, once)", fill: buildWithGo },
  ],
  hint: "Install it (https://docs.temporal.io/cli) or Go, put it on the PATH, or name it in TEMPORAL_CLI_PATH.",
};

/** `TEMPORAL_CLI_PATH`, the PATH, the cache, the official download, a build: in this order. */
export async function findTemporalCli(report: Report = () => {}): Promise<string> {
  const named = process.env.TEMPORAL_CLI_PATH;
  if (named && !isExecutable(named)) throw new Error(`TEMPORAL_CLI_PATH is ${named}, which is not a program`);
  return named || findOnPath(["temporal"]) || findOrMake(artifact, report);
}

async function buildWithGo(folder: string, report: Report): Promise<boolean> {
  const go = findOnPath(["go"], `${process.env.PATH ?? ""}:/usr/local/go/bin`);
  if (!go) return false;
  const env = { ...process.env, GOBIN: folder };
  await runGo(go, ["install", "-v", `github.com/temporalio/cli/cmd/temporal@${VERSION}`], env, report);
  return true;
}

/** `-v` names each package as it is compiled, of about 1,500: enough for a sense of progress. */
function runGo(go: string, args: string[], env: NodeJS.ProcessEnv, report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    let packages = 0;
    let last = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      last = line;
      packages += 1;
      report(`building the Temporal CLI: ${packages} steps, ${line.slice(0, 60)}`);
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`go install ended with ${code}: ${last}`)),
    );
  });
}
