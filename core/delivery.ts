import { uuidOf } from "./uuid.ts";

/**
 * The ledger of a message, as a pure state machine: `reserved → submitting → submitted → delivered`, or `failed`, or
 * `skipped`, or `unknown` where the provider's answer was lost. What providers report afterwards may come twice, late and
 * in any order: `advance` gives the same state for the same set of reports, whatever their order.
 */
export type DeliveryState = "reserved" | "submitting" | "submitted" | "delivered" | "failed" | "unknown" | "skipped";

/** What can be reported of a message that was handed over. */
export type ReceiptKind = "submitted" | "delivered" | "failed" | "opened" | "clicked";

/** What the provider was given, so that it can be asked about it after its answer was lost. */
export interface Handover {
  to: string;
  from: string;
  /** SHA-256 of the text that the provider keeps, hex. */
  content_sha256: string;
  at: string;
  /** Where it is asked for: not handed over after this. */
  until?: string;
}

export interface LedgerRow {
  state: DeliveryState;
  reason: string | null;
  provider_message_id: string | null;
  opened_at: string | null;
  clicked_at: string | null;
  /** How often it was handed to the provider. */
  attempts: number;
  history: { state: string; at: string; reason?: string }[];
  /** What of the history still has to be put on the stream. */
  unannounced: string[];
}

export type LedgerEntry =
  | { kind: ReceiptKind; at: string; reason?: string; provider_message_id?: string }
  /** Decided by us, about the attempt that is under way: `released` was not handed over and may be tried again. */
  | { kind: "unknown" | "released"; at: string; reason: string; attempt: number }
  | { kind: "skipped"; at: string; reason: string };

/** Nothing more will be done about it on our side. */
export function isSettled(state: DeliveryState): boolean {
  return state === "submitted" || state === "delivered" || state === "failed" || state === "skipped";
}

/** The row after the entry; the same object where the entry changes nothing. */
export function advance(row: LedgerRow, entry: LedgerEntry): LedgerRow {
  switch (entry.kind) {
    case "skipped":
      return row.state === "reserved" ? moved(row, "skipped", entry, true) : row;
    case "released":
      return isUnderWay(row, entry.attempt) ? moved(row, "reserved", entry, false) : row;
    case "unknown":
      return row.state === "submitting" && isUnderWay(row, entry.attempt) ? moved(row, "unknown", entry, true) : row;
    default:
      return received(row, entry);
  }
}

/** How far a message has come; `failed` last, because a bounce may follow a delivery but nothing follows a bounce. */
const RANK: Record<DeliveryState, number> = {
  skipped: -1,
  reserved: 0,
  submitting: 1,
  unknown: 2,
  submitted: 3,
  delivered: 4,
  failed: 5,
};
const IMPLIED = {
  submitted: "submitted",
  delivered: "delivered",
  opened: "delivered",
  clicked: "delivered",
  failed: "failed",
} as const;

function received(row: LedgerRow, receipt: Extract<LedgerEntry, { kind: ReceiptKind }>): LedgerRow {
  // Never handed over, so nobody can have received it.
  if (row.state === "skipped") return row;
  const isNews = !row.history.some((past) => past.state === receipt.kind);
  const implied = IMPLIED[receipt.kind];
  const state = RANK[implied] > RANK[row.state] ? implied : row.state;
  const next: LedgerRow = {
    ...row,
    state,
    reason: reasonAfter(row, receipt, state),
    provider_message_id: row.provider_message_id ?? receipt.provider_message_id ?? null,
    opened_at: receipt.kind === "opened" ? earlier(row.opened_at, receipt.at) : row.opened_at,
    clicked_at: receipt.kind === "clicked" ? earlier(row.clicked_at, receipt.at) : row.clicked_at,
    history: isNews ? [...row.history, historyEntry(receipt.kind, receipt)] : row.history,
    unannounced: isNews ? [...row.unannounced, receipt.kind] : row.unannounced,
  };
  return isSame(row, next) ? row : next;
}

function reasonAfter(
  row: LedgerRow,
  receipt: { kind: ReceiptKind; reason?: string },
  state: DeliveryState,
): string | null {
  if (state === row.state) return row.reason;
  // Why an earlier attempt did not work is in the history; it does not explain a message that has arrived.
  return receipt.kind === "failed" ? (receipt.reason ?? "unspecified") : null;
}

function isUnderWay(row: LedgerRow, attempt: number): boolean {
  return (row.state === "submitting" || row.state === "unknown") && row.attempts === attempt;
}

function moved(
  row: LedgerRow,
  state: DeliveryState,
  entry: { at: string; reason: string },
  announce: boolean,
): LedgerRow {
  const known = row.unannounced.includes(state);
  return {
    ...row,
    state,
    reason: entry.reason,
    history: [...row.history, historyEntry(state, entry)],
    unannounced: announce && !known ? [...row.unannounced, state] : row.unannounced,
  };
}

function historyEntry(state: string, { at, reason }: { at: string; reason?: string }) {
  return reason === undefined ? { state, at } : { state, at, reason };
}

function earlier(a: string | null, b: string): string {
  return a !== null && Date.parse(a) <= Date.parse(b) ? a : b;
}

function isSame(a: LedgerRow, b: LedgerRow): boolean {
  return (
    a.state === b.state &&
    a.reason === b.reason &&
    a.provider_message_id === b.provider_message_id &&
    a.opened_at === b.opened_at &&
    a.clicked_at === b.clicked_at &&
    a.history === b.history
  );
}

/** The same message of the same run is the same delivery, on every machine and after every crash. */
export function deliveryId(runId: string, nodeId: string): string {
  return uuidOf("delivery", runId, nodeId);
}
