import type { Endpoints } from "../endpoints.ts";

export interface OutgoingEvent {
  event_id: string;
  timestamp: string;
  client_id: string;
  [field: string]: unknown;
}

const MAX_BATCH = 100;
const MAX_WAITING = 5_000;
const LINGER_MS = 150;

export interface Sender {
  send(event: OutgoingEvent): void;
  readonly accepted: number;
}

/** What a good SDK does: gathers events, keeps their order, and tries again under the same ids until they are taken. */
export function createSender(endpoints: Endpoints, signal: AbortSignal): Sender {
  const waiting: OutgoingEvent[] = [];
  let accepted = 0;
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    const batch = waiting.slice(0, MAX_BATCH);
    const isTaken = await post(endpoints, batch, signal).catch(() => false);
    if (isTaken) {
      waiting.splice(0, batch.length);
      accepted += batch.length;
    }
    timer = undefined;
    if (waiting.length > 0) schedule(isTaken ? 0 : 1_000);
  }

  function schedule(afterMs: number): void {
    if (timer === undefined && !signal.aborted) timer = setTimeout(() => void flush(), afterMs);
  }

  return {
    send(event) {
      // The shop goes on while Livora is away, but not for ever.
      if (waiting.length >= MAX_WAITING) return;
      waiting.push(event);
      schedule(LINGER_MS);
    },
    get accepted() {
      return accepted;
    },
  };
}

async function post(
  { ingest, api_key, client_id }: Endpoints,
  events: readonly OutgoingEvent[],
  signal: AbortSignal,
): Promise<boolean> {
  const response = await fetch(`${ingest}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${api_key}`, "x-client-id": client_id, "content-type": "application/json" },
    body: JSON.stringify({ events }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
  });
  if (response.status === 400) throw new Error(`the shop sent something wrong: ${await response.text()}`);
  await response.arrayBuffer();
  return response.ok;
}
