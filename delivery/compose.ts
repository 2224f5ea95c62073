import type { SendRequest } from "../core/contracts/journey.ts";
import { isObject } from "../core/is-object.ts";
import type { Contact } from "./channels/channel.ts";
import { CHANNEL_RULES } from "./channels/index.ts";
import type { DeliveryContext } from "./context.ts";
import type { Facts, Standing } from "./facts.ts";
import type { OutgoingMessage } from "./providers/provider.ts";
import { renderTemplate, type Variables } from "./render.ts";

export type Composed = { ok: true; message: OutgoingMessage } | { ok: false; reason: string };

/** The message as its provider takes it, or why there is none. Never throws for what a person or a template says. */
export async function composeMessage(
  ctx: DeliveryContext,
  request: SendRequest,
  { standing, facts, deliveryId }: { standing: Standing; facts: Facts; deliveryId: string },
): Promise<Composed> {
  const { contact, template } = facts;
  if (!contact) return { ok: false, reason: "no_contact" };
  const to = CHANNEL_RULES[request.channel].addressOf(contact);
  if (!to.ok) return to;
  const from = senderOf(ctx, request, standing);
  if (from === null) return { ok: false, reason: "no_sender" };
  try {
    const rendered = await renderTemplate(request.channel, template, variablesOf(standing, contact));
    const link = linkOf(standing.run.entry_props);
    const { client_id } = request;
    const message = { delivery_id: deliveryId, client_id, to: to.address, from, from_name: standing.client.name, link };
    return { ok: true, message: { ...message, ...rendered } };
  } catch (error) {
    const [reason] = (error as Error).message.split("\n", 1);
    return { ok: false, reason: `template_error: ${reason}` };
  }
}

/** Null where the client has set no sender and there is a real provider at the other end. */
function senderOf({ config }: DeliveryContext, { channel }: SendRequest, { client }: Standing): string | null {
  const own = client.settings.senders?.[channel];
  if (own) return own;
  if (channel === "push") return config.LIVORA_FCM_PROJECT;
  const isSandbox = channel === "email" ? config.LIVORA_SENDGRID_URL !== "" : config.LIVORA_TWILIO_URL !== "";
  return isSandbox ? CHANNEL_RULES[channel].sandboxSender : null;
}

function variablesOf({ run, campaign, client }: Standing, contact: Contact): Variables {
  const { name, email, phone, locale, timezone, user_id, attributes } = contact;
  const [first_name = null] = name?.trim().split(/\s+/, 1).filter(Boolean) ?? [];
  const props = run.entry_props;
  return {
    contact: { ...attributes, attributes, name, first_name, email, phone, locale, timezone, user_id },
    event: { type: run.entry_event_type, at: run.entered_at, key: run.entry_key, props },
    cart: { ...cartOf(props), url: linkOf(props), id: run.entry_key },
    client: { id: client.id, name: client.name },
    campaign: { id: campaign.id, name: campaign.name },
  };
}

/** A cart as shops send it: an object of its own, or a single thing with a price. */
function cartOf(props: Record<string, unknown>): Record<string, unknown> {
  const { cart, items, value, price, currency } = props;
  const own = isObject(cart) ? cart : {};
  return { items: items ?? [props], value: value ?? price ?? null, currency: currency ?? null, ...own };
}

function linkOf(props: Record<string, unknown>): string | null {
  const candidates = [props.cart_url, props.url, (props.cart as { url?: unknown } | null | undefined)?.url];
  const link = candidates.find((candidate) => typeof candidate === "string" && /^https?:\/\//i.test(candidate));
  return (link as string | undefined) ?? null;
}
