import { setTimeout as sleep } from "node:timers/promises";

import type { Ledger, OfferedEvent, Verdict } from "./oracle.ts";

export interface EdgeTarget {
  /** Base URL of the edge. */
  ingest: string;
  client_id: string;
  api_key: string;
}

/** One request with these events. Never throws: no answer is `unknown`. */
export type Edge = (events: readonly OfferedEvent[]) => Promise<Verdict>;

/** One request, entered in the ledger before and after. */
export async function offerOnce(edge: Edge, ledger: Ledger, events: readonly OfferedEvent[]): Promise<Verdict> {
  const ids = events.map((event) => event.event_id);
  ledger.offer(events, Date.now());
  const verdict = await edge(events);
  ledger.answer(ids, verdict, Date.now());
  return verdict;
}

/** What a careful sender does: the same events under the same ids until there is an answer. Null when `signal` gave up first. */
export async function offerUntilAnswered(
  edge: Edge,
  ledger: Ledger,
  events: readonly OfferedEvent[],
  { signal, retryAfterMs = 50 }: { signal: AbortSignal; retryAfterMs?: number },
): Promise<Verdict | null> {
  let pauseMs = retryAfterMs;
  while (!signal.aborted) {
    const verdict = await offerOnce(edge, ledger, events);
    if (verdict !== "unknown") return verdict;
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, 500);
  }
  return null;
}

const ANSWER_WITHIN_MS = 15_000;

/** `POST /v1/events`. */
export function connectEdge(target: EdgeTarget): Edge {
  return (events) => post(target, `[${events.map((event) => event.text).join(",")}]`);
}

async function post(target: EdgeTarget, body: string): Promise<Verdict> {
  try {
    const response = await fetch(`${target.ingest}/v1/events`, {
      method: "POST",
      body,
      headers: {
        authorization: `Bearer ${target.api_key}`,
        "x-client-id": target.client_id,
        "content-type": "application/json",
      },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await response.text();
    return verdictOf(response.status, text);
  } catch {
    return "unknown";
  }
}

/** 429 and 5xx leave the request open: it is made again. Any other refusal is a fault of the load itself, and final. */
function verdictOf(status: number, text: string): Verdict {
  if (status === 202) return "ok";
  if (status === 429 || status >= 500) return "unknown";
  console.error(`the edge refused with ${status}: ${text.slice(0, 500)}`);
  return "refused";
}
