import type { Ledger, OfferedEvent, Verdict } from "../support/oracle.ts";
import type { Random } from "../support/oracle-random.ts";
import type { Clock } from "./clock.ts";
import type { Answer } from "./edge.ts";
import type { Act, Visitor } from "./scenario.ts";

/** What became of a visitor, as far as they know. Times are of virtual time, milliseconds since the start. */
export interface VisitorRecord {
  visitor: Visitor;
  /** Of `s3`: 3. */
  number: number;
  addresses: Record<string, string>;
  cart_id: string;
  /** When the cart's first event was made, and when it was acknowledged; null where none was. */
  cartAtMs: number | null;
  cartAcknowledgedAtMs: number | null;
  identifiedAtMs: number | null;
  purchase: PurchaseRecord | null;
}

export interface PurchaseRecord {
  event_id: string;
  offeredAtMs: number;
  /** When the edge answered `202`; null where it never did. */
  acknowledgedAtMs: number | null;
  /** The edge said that it could not make sure that nothing is on its way: ADR 6. */
  isHintMissing: boolean;
}

/** Where an event lies, says a `202`. */
export interface ClaimedPlace {
  event_id: string;
  shard: string;
  sequence: string;
  index: number;
}

export interface ShopParts {
  clock: Clock;
  random: Random;
  ledger: Ledger;
  /** Null: no answer within the time. */
  post(client: string, body: string): Promise<Answer | null>;
  claim(places: readonly ClaimedPlace[]): void;
}

const RETRY_AFTER_MS = 400;
const LATEST_RETRY_MS = 2_500;

/** One visitor's visit: resolves when they have left. Whatever is not acknowledged is sent again until it is. */
export async function visit(parts: ShopParts, record: VisitorRecord): Promise<void> {
  const { clock } = parts;
  let last: OfferedEvent[] = [];
  for (const act of record.visitor.acts) {
    const notBeforeMs = act.afterCartMs === null ? 0 : (record.cartAtMs ?? 0) + act.afterCartMs;
    await clock.sleep(Math.max(act.pauseMs, notBeforeMs - clock.elapsedMs));
    if (act.kind !== "resend") last = makeEvents(parts, record, act);
    if (last.length > 0) await sendUntilAcknowledged(parts, record, act, last);
  }
}

async function sendUntilAcknowledged(
  { clock, ledger, post, claim }: ShopParts,
  record: VisitorRecord,
  act: Act,
  events: readonly OfferedEvent[],
): Promise<void> {
  const beganMs = clock.elapsedMs;
  if (act.kind === "cart") record.cartAtMs ??= beganMs;
  const [first] = events;
  if (act.kind === "buy" && first)
    record.purchase ??= {
      event_id: first.event_id,
      offeredAtMs: beganMs,
      acknowledgedAtMs: null,
      isHintMissing: false,
    };
  for (let pauseMs = RETRY_AFTER_MS; ; pauseMs = Math.min(pauseMs * 2, LATEST_RETRY_MS)) {
    ledger.offer(events, clock.elapsedMs);
    const answer = await post(record.visitor.client, `[${events.map((event) => event.text).join(",")}]`);
    const verdict = verdictOf(answer);
    ledger.answer(
      events.map((event) => event.event_id),
      verdict,
      clock.elapsedMs,
    );
    if (answer && verdict === "ok") {
      claim((JSON.parse(answer.body) as { offsets: ClaimedPlace[] }).offsets);
      return note(record, act, answer, clock.elapsedMs);
    }
    await clock.sleep(pauseMs);
  }
}

function note(record: VisitorRecord, act: Act, answer: Answer, nowMs: number): void {
  if (act.kind === "cart") record.cartAcknowledgedAtMs ??= nowMs;
  if (act.kind === "identify") record.identifiedAtMs ??= nowMs;
  if (act.kind === "buy" && record.purchase && record.purchase.acknowledgedAtMs === null) {
    record.purchase.acknowledgedAtMs = answer.answeredAtMs;
    record.purchase.isHintMissing = answer.isHintMissing;
  }
}

/** 503 leaves open what became of the events; other refusals took nothing. */
function verdictOf(answer: Answer | null): Verdict {
  if (answer === null || answer.status >= 500) return "unknown";
  return answer.status === 202 ? "ok" : "refused";
}

function makeEvents({ clock, random }: ShopParts, record: VisitorRecord, act: Act): OfferedEvent[] {
  const { visitor } = record;
  const device = `${visitor.id}-${act.device}`;
  const sentAtMs = clock.wallMs() - act.lateMs;
  return Array.from({ length: act.count }, (_, i) => {
    const event_id = random.uuid();
    // Some clients do not send in the order in which things happened.
    const timestamp = new Date(sentAtMs - random.between(0, act.count - 1) * 10 * (i + 1)).toISOString();
    const event = {
      event_id,
      timestamp,
      client_id: visitor.client,
      ...(act.isKnown && { user_id: visitor.user_id }),
      anon_id: `device-${device}`,
      session_id: `session-${device}`,
      ...contentOf(record, act, i),
    };
    return { event_id, session_id: event.session_id, event_type: event.event_type, text: JSON.stringify(event) };
  });
}

function contentOf(record: VisitorRecord, act: Act, number: number): { event_type: string; props: object } {
  const { cart_id, addresses, visitor } = record;
  switch (act.kind) {
    case "identify":
      return {
        event_type: "identify",
        props: { email: addresses["email"], phone: addresses["whatsapp"], name: `Person ${visitor.id}` },
      };
    case "cart":
      return { event_type: "add_to_cart", props: { cart_id, product_id: `SKU-${act.id}`, price: 100 } };
    case "buy":
      return { event_type: "purchase", props: { order_id: `order-${visitor.id}`, cart_id, total: 100 } };
    default:
      return { event_type: "page_view", props: { page: `/p/${act.id}/${number}` } };
  }
}

export function createRecord(visitor: Visitor): VisitorRecord {
  const number = Number(visitor.id.slice(1));
  return {
    visitor,
    number,
    addresses: { whatsapp: `+91987654320${number}`, email: `${visitor.id}@example.com` },
    cart_id: `cart-${visitor.id}`,
    cartAtMs: null,
    cartAcknowledgedAtMs: null,
    identifiedAtMs: null,
    purchase: null,
  };
}
