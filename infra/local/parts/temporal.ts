import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Connection } from "@temporalio/client";

import { SEARCH_ATTRIBUTES } from "../../../core/contracts/journey.ts";
import type { Report } from "../artifacts/artifact.ts";
import { findTemporalCli } from "../artifacts/temporal-cli.ts";
import { startProcess } from "../process.ts";
import { logSizeOf, type Part, type PartOptions, pidFileOf, toPart } from "./part.ts";

export interface TemporalOptions extends PartOptions {
  /** Temporal Web; null leaves it out. */
  webPort: number | null;
  namespace?: string;
}

/** The Temporal CLI's dev server on SQLite. */
export async function startTemporal(options: TemporalOptions, report: Report = () => {}): Promise<Part> {
  const command = await findTemporalCli(report);
  mkdirSync(options.dir, { recursive: true });
  const logFrom = logSizeOf(options.log);
  const args = commandLine(options);
  const child = await startProcess({
    name: "temporal",
    command,
    args,
    log: options.log,
    pidFile: pidFileOf(options.dir),
  });
  const address = `127.0.0.1:${options.port}`;
  return toPart(
    child,
    address,
    options,
    (withinMs) => knowsNamespace(address, options.namespace ?? "default", withinMs),
    logFrom,
  );
}

function commandLine({ dir, port, webPort, namespace = "default" }: TemporalOptions): string[] {
  const options: Record<string, string> = {
    "--ip": "127.0.0.1",
    "--port": String(port),
    "--namespace": namespace,
    "--db-filename": join(dir, "temporal.db"),
    "--log-level": "warn",
    ...(webPort !== null && { "--ui-port": String(webPort) }),
  };
  // Measured: twice the workflows a second, and still nothing lost when the process is killed.
  const pragmas = ["journal_mode=wal", "synchronous=normal"].flatMap((pragma) => ["--sqlite-pragma", pragma]);
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ["--search-attribute", `${name}=Keyword`]);
  const headless = webPort === null ? ["--headless"] : [];
  return ["server", "start-dev", ...Object.entries(options).flat(), ...headless, ...pragmas, ...attributes];
}

async function knowsNamespace(address: string, namespace: string, withinMs: number): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: withinMs });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
