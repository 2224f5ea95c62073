import { asc, eq, inArray, sql } from "drizzle-orm";

import { encodeEnvelope } from "../core/envelope.ts";
import { partitionKeyOf } from "../core/event.ts";
import { laneOf } from "../core/position.ts";
import type { Context } from "./context.ts";
import { eventOutbox } from "./postgres/schema.ts";
import type { Transaction } from "./postgres/tenant.ts";
import type { StreamProducer } from "./stream/types.ts";

export type RelayContext = Pick<Context, "db"> & { producer: StreamProducer };

type OwedEvent = typeof eventOutbox.$inferSelect;

const PAGE = 500;
/** A relay that stands still, stopped or cut off, must let others in. */
const IDLE_MS = 30_000;

/**
 * Puts what clients' changes owe on the stream "events" and forgets that it was owed: how many events. A crash in between
 * puts them there again under the same ids, which the enricher takes once. One relay at a time has a client, so a client's
 * events stay in order; several may run at once. Rejects where the stream takes nothing; what it did take is not owed any more.
 */
export async function relayEvents(ctx: RelayContext, only?: { client_id: string }): Promise<number> {
  const clients = only ? [only] : await ctx.db.selectDistinct({ client_id: eventOutbox.client_id }).from(eventOutbox);
  const trouble: unknown[] = [];
  let relayed = 0;
  for (const { client_id } of clients) {
    for (let page = PAGE; page === PAGE;) {
      const done = await relayPage(ctx, client_id);
      relayed += page = done.relayed;
      if (done.failure !== undefined) trouble.push(done.failure);
    }
  }
  if (trouble.length > 0) throw trouble[0];
  return relayed;
}

/** Nothing where another relay has this client. */
function relayPage(ctx: RelayContext, clientId: string): Promise<{ relayed: number; failure?: unknown }> {
  return ctx.db.transaction(async (tx) => {
    await tx.execute(sql.raw(`set local idle_in_transaction_session_timeout = ${IDLE_MS}`));
    if (!(await takeTurn(tx, clientId))) return { relayed: 0 };
    const owed = await tx
      .select()
      .from(eventOutbox)
      .where(eq(eventOutbox.client_id, clientId))
      .orderBy(asc(eventOutbox.id))
      .limit(PAGE);
    const { taken, failure } = await appendAll(ctx.producer, owed);
    if (taken.length > 0) await tx.delete(eventOutbox).where(inArray(eventOutbox.id, taken));
    return { relayed: taken.length, failure };
  });
}

async function takeTurn(tx: Transaction, clientId: string): Promise<boolean> {
  const [row] = await tx.execute<{ mine: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${`event_outbox:${clientId}`}, 0)) as mine`,
  );
  return row?.mine === true;
}

/** One after the other within a lane, and none after one that was refused: a person's events keep their order. */
async function appendAll(producer: StreamProducer, owed: readonly OwedEvent[]) {
  const taken: number[] = [];
  const lanes = Map.groupBy(owed, ({ event }) => laneOf(partitionKeyOf(event)));
  const ends = await Promise.allSettled(
    [...lanes].map(async ([lane, events]) => {
      for (const one of events) {
        await producer.append(lane, envelopeOf(one), 1);
        taken.push(one.id);
      }
    }),
  );
  return { taken, failure: ends.find((end) => end.status === "rejected")?.reason as unknown };
}

function envelopeOf({ client_id, request_id, event }: OwedEvent): Buffer {
  // Its time may be ahead of our clock and would then be set to that of receipt, another one each time.
  const header = { client_id, received_at: new Date().toISOString(), request_id, seen_under: event.timestamp };
  return encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]);
}
