import { and, eq, inArray } from "drizzle-orm";

import type { SendRequest } from "../core/contracts/journey.ts";
import { campaigns, clients, contacts, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { CHANNEL_RULES } from "./channels/index.ts";
import type { Contact } from "./channels/channel.ts";
import type { DeliveryContext } from "./context.ts";
import { findTemplate } from "./template-lookup.ts";

export type DeliveryRow = typeof deliveries.$inferSelect;
export type RunRow = typeof journeyRuns.$inferSelect;

/** Where a message stands before anything is done about it. */
export interface Standing {
  run: RunRow;
  campaign: { id: string; name: string; state: string };
  client: typeof clients.$inferSelect;
  delivery: DeliveryRow | null;
}

/** Null where there is no such run. */
export async function loadStanding(
  ctx: DeliveryContext,
  request: SendRequest,
  deliveryId: string,
): Promise<Standing | null> {
  const { id, name, state } = campaigns;
  const [row] = await ctx.db
    .select({ run: journeyRuns, campaign: { id, name, state }, client: clients, delivery: deliveries })
    .from(journeyRuns)
    .innerJoin(
      campaigns,
      and(eq(campaigns.client_id, journeyRuns.client_id), eq(campaigns.id, journeyRuns.campaign_id)),
    )
    .innerJoin(clients, eq(clients.id, journeyRuns.client_id))
    .leftJoin(deliveries, eq(deliveries.id, deliveryId))
    .where(and(eq(journeyRuns.id, request.run_id), eq(journeyRuns.client_id, request.client_id)));
  return row ?? null;
}

/** Who the message is for, and what it says; read when everything that came before has been considered. */
export async function loadFacts(ctx: DeliveryContext, request: SendRequest, run: RunRow) {
  const { client_id, channel, template: name } = request;
  const [people, template] = await Promise.all([
    ctx.db
      .select()
      .from(contacts)
      .where(and(eq(contacts.client_id, client_id), inArray(contacts.person_key, run.person_keys))),
    findTemplate(ctx.db, { client_id, channel, name }),
  ]);
  const contact = people.toSorted((a, b) => compareContacts(a, b, request, run))[0] ?? null;
  return { contact, template };
}

export type Facts = Awaited<ReturnType<typeof loadFacts>>;

/** Who can be reached first, then whom the run is about, then a known user, then who told of themselves last. */
function compareContacts(a: Contact, b: Contact, { channel }: SendRequest, run: RunRow): number {
  const rank = (contact: Contact) =>
    (CHANNEL_RULES[channel].addressOf(contact).ok ? 4 : 0) +
    (contact.person_key === run.person_key ? 2 : 0) +
    (contact.user_id === null ? 0 : 1);
  return rank(b) - rank(a) || Date.parse(b.traits_at) - Date.parse(a.traits_at);
}
