import type { Standstill } from "./livora-backup.ts";
import type { Ledger, LedgerEntry } from "./oracle.ts";
import type { ShopperRecord } from "./oracle-messages.ts";

/**
 * The oracle as of a moment: what was answered before it must be there; what was offered afterwards cannot be; of what lay
 * in between nobody knows. `answered` is what each event had been answered when nothing stood still yet.
 */
export function ledgerAt(ledger: Ledger, answered: ReadonlyMap<string, number>, at: Standstill): Ledger {
  const entries = new Map(
    ledger
      .entries()
      .filter((entry) => entry.offeredAt < at.endedMs)
      .map((entry) => [entry.event_id, entryAt(entry, answered.get(entry.event_id) ?? 0, at)]),
  );
  return { offer: closed, answer: closed, entry: (id) => entries.get(id), entries: () => [...entries.values()] };
}

function closed(): never {
  throw new Error("this ledger is of the past");
}

/** How often each event had been acknowledged. */
export function countAnswers(ledger: Ledger): Map<string, number> {
  return new Map(ledger.entries().map((entry) => [entry.event_id, entry.answers.ok]));
}

function entryAt(entry: LedgerEntry, ok: number, { beganMs }: Standstill): LedgerEntry {
  const isAcknowledged = entry.acknowledgedAt !== null && entry.acknowledgedAt < beganMs;
  const { acknowledgedAt, turn } = isAcknowledged ? entry : { acknowledgedAt: null, turn: null };
  return { ...entry, acknowledgedAt, turn, answers: { ok, refused: 0, unknown: entry.offers - ok } };
}

/** A person of whom no more is known than at that moment: what they did later has not happened. */
export function personAt(person: ShopperRecord, ledger: Ledger, { beganMs, endedMs }: Standstill): ShopperRecord {
  const { cartAt, identifiedAt, purchase } = person;
  const cart = ledger.entries().find((entry) => entry.event_type === "add_to_cart" && isOf(person, entry));
  const isCartIn = cart !== undefined && cart.acknowledgedAt !== null;
  const isIdentified = isCartIn && identifiedAt !== null && identifiedAt < beganMs;
  return {
    ...person,
    cartAt: cartAt !== null && cartAt < endedMs ? cartAt : null,
    // Who is not certainly known by then need not be written to.
    identifiedAt: isIdentified ? identifiedAt : null,
    purchase: purchase && purchase.offeredAt < endedMs ? purchaseAt(purchase, beganMs) : null,
  };
}

function purchaseAt(purchase: NonNullable<ShopperRecord["purchase"]>, beganMs: number) {
  const isIn = purchase.acknowledgedAt !== null && purchase.acknowledgedAt < beganMs;
  return isIn ? purchase : { ...purchase, acknowledgedAt: null };
}

function isOf({ user_id }: ShopperRecord, { text }: LedgerEntry): boolean {
  return text.includes(`"cart-${user_id.slice("user|".length)}"`);
}
