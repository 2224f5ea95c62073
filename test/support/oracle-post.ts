import type { Ledger, OfferedEvent, Verdict } from "./oracle.ts";

export interface EdgeTarget {
  /** Base URL of the edge. */
  ingest: string;
  client_id: string;
  api_key: string;
}

const ANSWER_WITHIN_MS = 15_000;

/** One request with the events as they stand, entered in the ledger before and after. */
export async function offerOnce(target: EdgeTarget, ledger: Ledger, events: readonly OfferedEvent[]): Promise<Verdict> {
  const ids = events.map((event) => event.event_id);
  ledger.offer(events, Date.now());
  const verdict = await post(target, `[${events.map((event) => event.text).join(",")}]`);
  ledger.answer(ids, verdict, Date.now());
  return verdict;
}

/** What a careful sender does: the same events under the same ids until there is an answer. Null when `signal` gave up first. */
export async function offerUntilAnswered(
  target: EdgeTarget,
  ledger: Ledger,
  events: readonly OfferedEvent[],
  signal: AbortSignal,
): Promise<Verdict | null> {
  let pauseMs = 50;
  while (!signal.aborted) {
    const verdict = await offerOnce(target, ledger, events);
    if (verdict !== "unknown") return verdict;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, 500);
  }
  return null;
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
