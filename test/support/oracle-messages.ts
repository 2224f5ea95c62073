/** A message as the outbox saw it arrive. */
export interface OutboxMessage {
  id: string;
  channel: string;
  to: string;
  from: string;
  subject: string | null;
  body: string;
  /** ISO 8601. */
  received_at: string;
}

/** A message of the campaign, by its delay after the cart was left. */
export interface CampaignStep {
  channel: string;
  delayMs: number;
}

/** What the oracle knows of one person and their cart. All times are epoch ms of this machine's clock. */
export interface ShopperRecord {
  user_id: string;
  /** Where each channel's messages for this person arrive. */
  addresses: Readonly<Record<string, string>>;
  /** The cart event's own timestamp; null where there was no cart. */
  cartAt: number | null;
  /** When `identify`, which carries the addresses, was acknowledged. */
  identifiedAt: number | null;
  purchase: { offeredAt: number; acknowledgedAt: number | null; seen: readonly string[] } | null;
}

export interface MessageFault {
  kind: "missing" | "doubled" | "after_purchase" | "unexpected" | "early";
  to: string;
  detail: string;
}

export interface MessageReport {
  faults: MessageFault[];
  /**
   * For each message to someone who bought: how long before the purchase's acknowledgement it arrived, ms. Negative is a
   * fault; the smallest says how close it came.
   */
  margins: number[];
}

/** Compares the outbox with what each person should have got, all of it after everything has come to rest. */
export function judgeMessages(
  people: readonly ShopperRecord[],
  steps: readonly CampaignStep[],
  outbox: readonly OutboxMessage[],
): MessageReport {
  const arrived = Map.groupBy(outbox, (message) => addressKey(message.channel, message.to));
  const expected = new Set(
    people.flatMap((person) => steps.map((step) => addressKey(step.channel, person.addresses[step.channel] ?? ""))),
  );
  const strangers = outbox.filter((message) => !expected.has(addressKey(message.channel, message.to)));
  const judged = people.flatMap((person) =>
    steps.map((step) =>
      judgeStep(person, step, arrived.get(addressKey(step.channel, person.addresses[step.channel] ?? "")) ?? []),
    ),
  );
  return {
    faults: [
      ...judged.flatMap(({ faults }) => faults),
      ...strangers.map((message): MessageFault => ({
        kind: "unexpected",
        to: message.to,
        detail: `${message.channel} to nobody we know: ${message.body}`,
      })),
    ],
    margins: judged.flatMap(({ margins }) => margins),
  };
}

function judgeStep(person: ShopperRecord, step: CampaignStep, arrived: readonly OutboxMessage[]): MessageReport {
  const to = person.addresses[step.channel] ?? "";
  const fault = (kind: MessageFault["kind"], detail: string): MessageFault => ({
    kind,
    to,
    detail: `${step.channel} to ${person.user_id}: ${detail}`,
  });
  if (person.cartAt === null) return { faults: arrived.map(() => fault("unexpected", "left no cart")), margins: [] };
  const dueAt = person.cartAt + step.delayMs;
  const faults: MessageFault[] = [];
  if (arrived.length > 1)
    faults.push(
      fault("doubled", `arrived ${arrived.length} times: ${arrived.map((message) => message.received_at).join(", ")}`),
    );
  if (arrived.length === 0 && isRequired(person, step, dueAt))
    faults.push(fault("missing", `was due at ${new Date(dueAt).toISOString()}`));
  for (const message of arrived) {
    const at = Date.parse(message.received_at);
    if (at < dueAt) faults.push(fault("early", `${dueAt - at} ms before it was due`));
  }
  const margins = marginsOf(person, arrived);
  faults.push(
    ...margins
      .filter((margin) => margin < 0)
      .map((margin) => fault("after_purchase", `${-margin} ms after the purchase was acknowledged`)),
  );
  return { faults, margins };
}

function marginsOf(person: ShopperRecord, arrived: readonly OutboxMessage[]): number[] {
  const boughtAt = person.purchase?.acknowledgedAt ?? null;
  return boughtAt === null ? [] : arrived.map((message) => boughtAt - Date.parse(message.received_at));
}

/**
 * A message may only be missing where a purchase was offered before it was seen, or where its address was not known when
 * it was due: everything acknowledged before then must have been considered.
 */
function isRequired(person: ShopperRecord, step: CampaignStep, dueAt: number): boolean {
  if (person.identifiedAt === null || person.identifiedAt > dueAt) return false;
  return person.purchase === null || person.purchase.seen.includes(step.channel);
}

function addressKey(channel: string, to: string): string {
  return `${channel} ${to}`;
}
