import { comparePlaces } from "../../core/position.ts";
import type { Ledger, LedgerEntry } from "./oracle.ts";

export interface LakeRow {
  event_id: string;
  session_id: string;
  event_type: string;
  raw: string;
  sequence: string;
  index: number;
}

/** What the system says became of the events. */
export interface Evidence {
  lake: LakeRow[];
  deadLetters: { event_id: string | null; stage: string; reason: string }[];
  dropped: { event_id: string; stage: string; reason: string }[];
}

export interface EventFault {
  kind: "lost" | "doubled" | "altered" | "invented" | "unexplained" | "misordered" | "contradicted" | "dead";
  event_id: string;
  detail: string;
}

export interface Allowances {
  /** Events that are meant to end in the dead letters. */
  poison?: ReadonlySet<string>;
  /** Types that the system itself puts on the stream: not offered by us, but once each all the same. */
  own?: readonly string[];
  /** The stream's answers to the edge may be lost: a put is then made again, and its copies are nobody's offer. */
  arePutsRepeated?: boolean;
}

/** Every way in which the evidence contradicts the ledger. Empty: each acknowledged event is in the lake exactly once, and all else is explained. */
export function judgeEvents(ledger: Ledger, evidence: Evidence, allowances: Allowances = {}): EventFault[] {
  const found = indexEvidence(evidence);
  const own = new Set(allowances.own ?? ["campaign_delivery"]);
  return [
    ...ledger.entries().flatMap((entry) => judgeEntry(entry, found, allowances)),
    ...judgeStrangers(ledger, evidence, own),
    ...judgeOrder(ledger, evidence.lake),
  ];
}

interface Found {
  lake: Map<string, LakeRow[]>;
  dead: Map<string, Evidence["deadLetters"]>;
  dropped: Map<string, Evidence["dropped"]>;
}

function indexEvidence(evidence: Evidence): Found {
  return {
    lake: Map.groupBy(evidence.lake, (row) => row.event_id),
    dead: Map.groupBy(evidence.deadLetters, (row) => row.event_id ?? ""),
    dropped: Map.groupBy(evidence.dropped, (row) => row.event_id),
  };
}

function judgeEntry(entry: LedgerEntry, found: Found, allowances: Allowances): EventFault[] {
  const isPoison = allowances.poison?.has(entry.event_id) ?? false;
  const rows = found.lake.get(entry.event_id) ?? [];
  const dead = found.dead.get(entry.event_id) ?? [];
  const dropped = found.dropped.get(entry.event_id) ?? [];
  const fault = (kind: EventFault["kind"], detail: string) => ({ kind, event_id: entry.event_id, detail });
  const faults: EventFault[] = [];
  const isKept = rows.length > 0 || dead.length > 0;
  if (entry.acknowledgedAt !== null && !isKept) faults.push(fault("lost", `${entry.event_type}, ${tell(entry)}`));
  if (rows.length > 1 || dead.length > 1)
    faults.push(fault("doubled", `${rows.length} times in the lake, ${dead.length} dead`));
  if (rows.length > 0 && dead.length > 0) faults.push(fault("contradicted", "in the lake and in the dead letters"));
  if (dead.length > 0 && !isPoison)
    faults.push(fault("dead", dead.map(({ stage, reason }) => `${stage}: ${reason}`).join("; ")));
  if (isKept && entry.answers.ok + entry.answers.unknown === 0)
    faults.push(fault("contradicted", "refused, and kept all the same"));
  if (rows.some((row) => row.raw !== entry.text))
    faults.push(fault("altered", `${rows[0]?.raw} instead of ${entry.text}`));
  return [...faults, ...judgeDrops(entry, dropped, { isKept, arePutsRepeated: allowances.arePutsRepeated ?? false })];
}

/** Whatever is dropped must be the second or later copy of something that is kept, and must say why. */
function judgeDrops(
  entry: LedgerEntry,
  dropped: Evidence["dropped"],
  { isKept, arePutsRepeated }: { isKept: boolean; arePutsRepeated: boolean },
): EventFault[] {
  const fault = (detail: string): EventFault => ({ kind: "unexplained", event_id: entry.event_id, detail });
  const faults = dropped
    .filter((drop) => drop.reason !== "duplicate")
    .map((drop) => fault(`dropped by ${drop.stage}: ${drop.reason || "no reason"}`));
  if (dropped.length > 0 && !isKept) faults.push(fault("every copy was dropped"));
  if (dropped.length > entry.offers - 1 && !arePutsRepeated)
    faults.push(fault(`${dropped.length} copies dropped of ${entry.offers} offered`));
  if (isKept && dropped.length < entry.answers.ok - 1) {
    faults.push(
      fault(`acknowledged ${entry.answers.ok} times, only ${dropped.length} copies accounted for as dropped`),
    );
  }
  return faults;
}

function judgeStrangers(ledger: Ledger, evidence: Evidence, own: ReadonlySet<string>): EventFault[] {
  const strangers = evidence.lake.filter((row) => !ledger.entry(row.event_id));
  const invented = strangers
    .filter((row) => !own.has(row.event_type))
    .map((row): EventFault => ({ kind: "invented", event_id: row.event_id, detail: row.raw }));
  const doubled = [...Map.groupBy(strangers, (row) => row.event_id)]
    .filter(([, rows]) => rows.length > 1)
    .map(([event_id, rows]): EventFault => ({
      kind: "doubled",
      event_id,
      detail: `${rows.length} times in the lake: ${rows[0]?.event_type}`,
    }));
  const dead = evidence.deadLetters
    .filter((row) => row.event_id === null || !ledger.entry(row.event_id))
    .map((row): EventFault => ({
      kind: "dead",
      event_id: row.event_id ?? "none",
      detail: `${row.stage}: ${row.reason}`,
    }));
  return [...invented, ...doubled, ...dead];
}

/** Where a session's events were offered one after the other, they lie in the lake in that order. */
function judgeOrder(ledger: Ledger, lake: readonly LakeRow[]): EventFault[] {
  const known = lake.flatMap((row) => {
    const turn = ledger.entry(row.event_id)?.turn ?? null;
    return turn === null ? [] : [{ row, turn }];
  });
  return [...Map.groupBy(known, ({ row }) => row.session_id).values()].flatMap((session) => {
    const sorted = session.toSorted((a, b) => comparePlaces(a.row, b.row));
    return sorted.flatMap(({ row, turn }, i): EventFault[] => {
      const before = sorted[i - 1];
      if (before === undefined || before.turn <= turn) return [];
      return [
        {
          kind: "misordered",
          event_id: row.event_id,
          detail: `turn ${turn} of ${row.session_id} lies after turn ${before.turn}`,
        },
      ];
    });
  });
}

function tell(entry: LedgerEntry): string {
  const at = new Date(entry.acknowledgedAt ?? entry.offeredAt).toISOString();
  return `offered ${entry.offers} times, acknowledged ${entry.answers.ok} times, first at ${at}`;
}
