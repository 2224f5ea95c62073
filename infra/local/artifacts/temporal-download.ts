import { execFile } from "node:child_process";
import { chmodSync, existsSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import { download, type Report, unpackTar } from "./artifact.ts";

/**
 * Temporal's own download service, as its SDKs use it: a description of the archive first, then the archive. The program
 * ends up in `folder` under its bare name.
 */
export async function downloadTemporal(
  artifact: "cli" | "temporal-test-server",
  version: string,
  folder: string,
  report: Report,
) {
  const query = new URLSearchParams({
    arch: process.arch === "arm64" ? "arm64" : "amd64",
    platform: process.platform,
    format: "tar.gz",
  });
  const answer = await download(`https://temporal.download/${artifact}/${version}?${query}`, () => {});
  const { archiveUrl, fileToExtract } = JSON.parse(answer.toString("utf8")) as {
    archiveUrl: string;
    fileToExtract: string;
  };
  unpackTar(await download(archiveUrl, report), folder);
  const program = join(folder, basename(fileToExtract));
  if (!existsSync(program)) renameSync(join(folder, fileToExtract), program);
  chmodSync(program, 0o755);
  // It may have been made for another machine than this one says it is.
  await promisify(execFile)(program, ["--help"], { timeout: 20_000 }).catch((error) => {
    if (error.code === "ENOEXEC" || error.code === "ENOENT") throw error;
  });
  return true;
}
