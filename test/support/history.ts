import { readFileSync, writeFileSync } from "node:fs";

import proto from "@temporalio/proto";
import type { WorkflowHandle } from "@temporalio/client";

type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

interface HistoryType {
  fromObject(json: object): History;
  toObject(history: History, options: object): { events: object[] };
}
// The types leave out what the package's reflection can do.
const historyType = proto.temporal.api.history.v1.History as unknown as HistoryType;

/** Keeps what a workflow went through, to be replayed by `*.replay.test.ts` for as long as such runs may be under way. */
export function saveHistory(path: string, history: History): void {
  const json = historyType.toObject(history, { longs: String, enums: String, bytes: String });
  // Who ran it is nobody's business.
  const text = JSON.stringify(json, (key, value: unknown) => (key === "identity" ? "worker" : value), 1);
  writeFileSync(path, `${text}\n`);
}

export function readHistory(path: string): History {
  return historyType.fromObject(JSON.parse(readFileSync(path, "utf8")) as object);
}
