import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Livora } from "./livora.ts";
import { SERVICE_NAMES } from "../../infra/local/services.ts";

/** Which of Livora's own logs hold one of these texts, as `<log>: <text>`. */
export function findInLogs(livora: Livora, texts: readonly string[]): string[] {
  const folder = join(livora.dir, "logs");
  const ours = readdirSync(folder).filter((name) => SERVICE_NAMES.some((service) => name === `${service}.log`));
  return ours.flatMap((name) => {
    const log = readFileSync(join(folder, name), "utf8");
    return texts.filter((text) => log.includes(text)).map((text) => `${name}: ${text}`);
  });
}
