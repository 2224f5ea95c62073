import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Artifact, findOnPath, findOrMake, type Report } from "./artifact.ts";
import { downloadTemporal } from "./temporal-download.ts";

const VERSION = "1.38.0";

const artifact: Artifact = {
  name: `temporal-test-server-${VERSION}`,
  program: "temporal-test-server",
  ways: [
    {
      label: "downloading the Temporal test server",
      fill: (folder, report) => downloadTemporal("temporal-test-server", `v${VERSION}`, folder, report),
    },
    { label: "fetching the Temporal test server with Maven", fill: fetchWithMaven },
  ],
  hint: "It needs the network once; or, behind a Maven mirror, `mvn` and Java 17.",
};

/** The time-skipping server: the cache, the official download, Maven. */
export function findTemporalTestServer(report: Report = () => {}): Promise<string> {
  return findOrMake(artifact, report);
}

async function fetchWithMaven(folder: string, report: Report): Promise<boolean> {
  if (!findOnPath(["mvn"]) || !findOnPath(["java"])) return false;
  report("fetching the Temporal test server with Maven");
  const pom = join(folder, "pom.xml");
  writeFileSync(pom, project());
  const args = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${join(folder, "lib")}`];
  await promisify(execFile)("mvn", args, { timeout: 600_000 });
  const program = join(folder, artifact.program);
  writeFileSync(program, wrapper());
  chmodSync(program, 0o755);
  return true;
}

/** It lives for seconds: these options spare a third of what its start costs. */
function wrapper(): string {
  const options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto";
  return `#!/bin/sh\nexec java ${options} -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"\n`;
}

function project(): string {
  return `<project><modelVersion>4.0.0</modelVersion><groupId>livora</groupId><artifactId>test-server</artifactId><version>1</version>
<dependencies><dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency></dependencies></project>
`;
}
