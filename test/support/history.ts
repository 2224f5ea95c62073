import { readdirSync, readFileSync, writeFileSync } from "node:fs";

import proto from "@temporalio/proto";
import type { WorkflowHandle } from "@temporalio/client";

type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

interface HistoryType {
  fromObject(json: object): History;
  toObject(history: History, options: object): { events: object[] };
}
// The types leave out what the package's reflection can do.
const historyType = proto.temporal.api.history.v1.History as unknown as HistoryType;

const RECORDINGS = new URL("../replay/histories/", import.meta.url);

/**
 * Keeps what a workflow went through, to be replayed for as long as such runs may be under way. Only on request: `LIVORA_RECORD=<when>
 * npx vitest run --project workflow` adds recordings, named after the case and the day. Never replace one that is there.
 */
export async function recordHistory(name: string, handle: Pick<WorkflowHandle, "fetchHistory">): Promise<void> {
  const when = process.env.LIVORA_RECORD;
  if (when) saveHistory(new URL(`${name}-${when}.json`, RECORDINGS).pathname, await handle.fetchHistory());
}

/** The recordings whose names begin so: at least one, else the test would say nothing. */
export function listHistories(prefix: string): string[] {
  const names = readdirSync(RECORDINGS).filter((name) => name.startsWith(prefix));
  if (names.length === 0) throw new Error(`there is no recording of ${prefix}`);
  return names;
}

function saveHistory(path: string, history: History): void {
  const json = historyType.toObject(history, { longs: String, enums: String, bytes: String });
  // Who ran it is nobody's business.
  const text = JSON.stringify(json, (key, value: unknown) => (key === "identity" ? "worker" : value), 1);
  // Stack traces name the folder they were recorded in; nobody else has it.
  writeFileSync(path, `${text.replaceAll(`${process.cwd()}/`, "")}\n`);
}

export function readHistory(name: string): History {
  return historyType.fromObject(JSON.parse(readFileSync(new URL(name, RECORDINGS), "utf8")) as object);
}
