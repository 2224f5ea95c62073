import { randomUUID } from "node:crypto";

/** The caller's own `x-request-id` where it is short and plain; else a new one. */
export function readRequestId(header: string | string[] | undefined): string {
  return typeof header === "string" && /^[\w.:-]{1,128}$/.test(header) ? header : randomUUID();
}
