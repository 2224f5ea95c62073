import type { DeliveryDifferenceKind, Difference } from "../../core/contracts/audit.ts";

/** A difference that is about one message, or about one that should be there. `last_seen` is for people. */
export function differenceOf(
  kind: DeliveryDifferenceKind,
  client_id: string,
  delivery_id: string | null,
  last_seen: string,
): Difference {
  return { kind, client_id, delivery_id, last_seen, count: 1, event_id: null, place: null };
}
