import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Endpoints } from "../../infra/local/endpoints.ts";
import { postEvents, startLivora } from "../livora.ts";
import type { Row, Scenario } from "../scenario.ts";
import { percentile } from "../statistics.ts";

/** Gentle: a workflow costs the embedded Temporal tens of milliseconds of both cores. */
const PER_SECOND = 4;
const CAMPAIGN = "bench";
const EVENT_TYPE = "bench_signal";
const ARRIVED_WITHIN_MS = 30_000;

interface Reader {
  user_id: string;
  email: string;
  phone: string;
}

/** (c) From the request that carries the event to the message in the outbox, where the campaign has no delay. */
export const eventToMessage: Scenario = {
  name: "event-to-message",
  async run(bench) {
    const livora = await startLivora(bench.report);
    const row: Row = {
      part: "c",
      what: "event → message in the outbox",
      load: `${PER_SECOND}/s open loop, no delay`,
    };
    try {
      const schedule = [{ delay_minutes: 0, action: "whatsapp_template:reminder" }];
      await livora.call("POST", "/api/v1/campaigns", {
        campaign_id: CAMPAIGN,
        trigger: `event:${EVENT_TYPE}`,
        schedule,
      });
      await livora.call("POST", `/api/v1/campaigns/${CAMPAIGN}/publish`);
      for (let round = 0; round <= bench.rounds; round++) {
        const seconds = round === 0 ? 2 : Math.max(5, bench.seconds * 2);
        const { tookMs, lost } = await measure(livora.endpoints, PER_SECOND * seconds);
        // The first round is for the compilers.
        if (round > 0) enter(row, tookMs, lost, seconds);
        bench.report(`event-to-message: round ${round} of ${bench.rounds}`);
      }
    } finally {
      await livora.stop();
    }
    return [row];
  },
};

function enter(row: Row, tookMs: Float64Array, lost: number, seconds: number): void {
  (row.perSecond ??= []).push(tookMs.length / seconds);
  (row.p50Ms ??= []).push(percentile(tookMs, 0.5));
  (row.p99Ms ??= []).push(percentile(tookMs, 0.99));
  if (lost > 0) row.note = `${lost} not there after ${ARRIVED_WITHIN_MS / 1000} s`;
}

/** One event for each of `count` people, at a steady rate whether or not the earlier ones have been answered. */
async function measure(endpoints: Endpoints, count: number): Promise<{ tookMs: Float64Array; lost: number }> {
  const readers = Array.from({ length: count }, inventReader);
  await introduce(endpoints, readers);
  const beganMs = Date.now();
  const sentAt = new Map<string, number>();
  const posts = readers.map(async (reader, i) => {
    await sleep((i * 1000) / PER_SECOND);
    sentAt.set(reader.phone, Date.now());
    await postEvents(endpoints, [eventOf(endpoints, reader, EVENT_TYPE, {})]);
  });
  await Promise.all(posts);
  const arrivedAt = await awaitMessages(endpoints, readers, beganMs);
  const took = readers.flatMap(({ phone }) => {
    const at = arrivedAt.get(phone);
    return at === undefined ? [] : [at - (sentAt.get(phone) ?? at)];
  });
  return { tookMs: Float64Array.from(took), lost: count - took.length };
}

/** Their addresses are known before anything is measured. */
async function introduce(endpoints: Endpoints, readers: readonly Reader[]): Promise<void> {
  const events = readers.map((reader) =>
    eventOf(endpoints, reader, "identify", { email: reader.email, phone: reader.phone }),
  );
  for (let i = 0; i < events.length; i += 100) await postEvents(endpoints, events.slice(i, i + 100));
  await sleep(2_000);
}

async function awaitMessages(
  endpoints: Endpoints,
  readers: readonly Reader[],
  beganMs: number,
): Promise<Map<string, number>> {
  const wanted = new Set(readers.map((reader) => reader.phone));
  const query = new URLSearchParams({ channel: "whatsapp", since: new Date(beganMs).toISOString() });
  for (;;) {
    const response = await fetch(`${endpoints.outbox}/messages?${query}`);
    const messages = (await response.json()) as { to: string; received_at: string }[];
    const found = messages.filter((message) => wanted.has(message.to));
    const hasAll = found.length >= readers.length || Date.now() > beganMs + ARRIVED_WITHIN_MS + readers.length * 1000;
    if (hasAll) return new Map(found.map((message) => [message.to, Date.parse(message.received_at)]));
    await sleep(250);
  }
}

function inventReader(): Reader {
  const name = randomUUID().slice(0, 13);
  const digits = String(Math.floor(Math.random() * 1e8)).padStart(8, "0");
  return { user_id: `bench|${name}`, email: `${name}@example.com`, phone: `+9196${digits}` };
}

function eventOf({ client_id }: Endpoints, { user_id }: Reader, event_type: string, props: object): object {
  const timestamp = new Date().toISOString();
  return { event_id: randomUUID(), timestamp, client_id, user_id, session_id: `sess|${user_id}`, event_type, props };
}
