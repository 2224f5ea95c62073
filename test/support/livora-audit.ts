import { execFile } from "node:child_process";
import { join } from "node:path";

import type { AuditedHour, Difference } from "../../core/contracts/audit.ts";
import { nodeBinary, ROOT } from "../../infra/local/paths.ts";
import type { Livora } from "./livora.ts";

export interface LivoraAudit {
  exitCode: number;
  acknowledged: number;
  received: number;
  differences: Difference[];
  notes: string[];
}

/** `npm run audit` as people run it, of all hours since that moment, all clients together. */
export async function auditLivora({ dir }: Livora, sinceMs: number): Promise<LivoraAudit> {
  const args = ["--from", new Date(sinceMs).toISOString(), "--json"];
  const script = join(ROOT, "infra/local/audit.ts");
  const { exitCode, stdout, stderr } = await run([script, ...args], { ...process.env, LIVORA_DATA_DIR: dir });
  if (stdout === "") throw new Error(stderr);
  const { hours } = JSON.parse(stdout) as { hours: AuditedHour[] };
  return {
    exitCode,
    acknowledged: hours.reduce((sum, hour) => sum + hour.acknowledged, 0),
    received: hours.reduce((sum, hour) => sum + hour.received, 0),
    differences: hours.flatMap((hour) => hour.details.differences),
    notes: hours.flatMap((hour) => hour.details.notes),
  };
}

function run(args: string[], env: NodeJS.ProcessEnv): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(nodeBinary(), args, { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}
