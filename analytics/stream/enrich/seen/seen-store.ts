import { comparePlaces } from "../../../../core/position.ts";
import { MINUTE_MS } from "../../../../core/time.ts";
import { inParallel } from "../../../../platform/in-parallel.ts";
import type { UserStore } from "../../../../platform/user-store.ts";
import type { Draft } from "../step.ts";
import { IdTable, type SeenPlace } from "./id-table.ts";
import { decodeSeen, encodeSeen, type SeenEntry } from "./seen-codec.ts";

/** For how long an id is remembered; what comes back later is found by the ETL. */
const SEEN_DAYS = 7;
/** Ids kept in memory, in whole minutes: 100 MB at the most. */
const MAX_IDS = 2_000_000;
const PARALLEL_LOADS = 16;
const DAY_S = 86_400;

export interface SeenStore {
  /** What one batch looks up and adds. */
  begin(): SeenBatch;
  /** Forgets what is in memory: shards of another process have come to this one. */
  clear(): void;
}

export interface SeenBatch {
  load(drafts: readonly Draft[]): Promise<void>;
  /** Whether the same id came before, from elsewhere in the stream; if not, it is this event's from now on. */
  isDuplicate(draft: Draft): boolean;
  /** Whether it was remembered under this very place: in a try of this batch before. */
  cameThrough(draft: Draft): boolean;
  /** The event goes no further, and its id may come again. */
  release(draft: Draft): void;
  remember(draft: Draft): void;
  /** Makes durable what was remembered. */
  save(): Promise<void>;
}

/**
 * Which ids have been seen, and where: for each client and minute (of the event's own time, which a repetition shares)
 * a log of small items, one for each batch, and in memory the latest of them as tables.
 */
export function createSeenStore(store: Pick<UserStore, "append" | "list">, maxIds = MAX_IDS): SeenStore {
  const minutes = new Map<string, Promise<IdTable>>();
  const loaded = new Map<string, IdTable>();
  /** Ids on their way through the steps, in whichever batch: what both have, one of them has not. */
  const claims = new Map<string, SeenPlace>();

  async function loadMinute(clientId: string, minute: number): Promise<IdTable> {
    const name = nameOf(clientId, minute);
    const known = minutes.get(name);
    if (known) return known;
    const loading = readMinute(store, clientId, minute);
    minutes.set(name, loading);
    try {
      const table = await loading;
      // Unless all was forgotten meanwhile.
      if (minutes.get(name) === loading) loaded.set(name, table);
      return table;
    } catch (error) {
      if (minutes.get(name) === loading) minutes.delete(name);
      throw error;
    }
  }

  /** Whole minutes go, those first that were not used for longest. */
  function forgetSome(): void {
    let ids = 0;
    for (const table of loaded.values()) ids += table.capacity;
    for (const [name, table] of loaded) {
      if (ids <= maxIds) return;
      loaded.delete(name);
      minutes.delete(name);
      ids -= table.capacity;
    }
  }

  function begin(): SeenBatch {
    const tables = new Map<string, IdTable>();
    const fresh = new Map<string, { clientId: string; minute: number; entries: SeenEntry[] }>();
    return {
      async load(drafts) {
        const wanted = new Map(drafts.map((draft) => [nameOf(draft.clientId, minuteOf(draft)), draft]));
        forgetSome();
        await inParallel([...wanted], PARALLEL_LOADS, async ([name, draft]) => {
          const table = await loadMinute(draft.clientId, minuteOf(draft));
          tables.set(name, table);
          // To the end: the order is that of use.
          if (loaded.delete(name)) loaded.set(name, table);
        });
      },
      isDuplicate(draft) {
        const claim = claimOf(draft);
        const table = tables.get(nameOf(draft.clientId, minuteOf(draft)));
        const place = table?.find(draft.event.event_id) ?? claims.get(claim);
        if (place) return !isSame(place, draft.source);
        claims.set(claim, { sequence: draft.source.sequence, index: draft.source.index });
        return false;
      },
      cameThrough(draft) {
        const place = tables.get(nameOf(draft.clientId, minuteOf(draft)))?.find(draft.event.event_id);
        return place != null && isSame(place, draft.source);
      },
      release(draft) {
        const place = claims.get(claimOf(draft));
        if (place && isSame(place, draft.source)) claims.delete(claimOf(draft));
      },
      remember(draft) {
        const minute = minuteOf(draft);
        const name = nameOf(draft.clientId, minute);
        const { event_id: id } = draft.event;
        const { sequence, index } = draft.source;
        tables.get(name)?.add(id, { sequence, index }, isBefore);
        claims.delete(claimOf(draft));
        const entries = fresh.get(name)?.entries;
        if (entries) entries.push({ id, place: { sequence, index } });
        else fresh.set(name, { clientId: draft.clientId, minute, entries: [{ id, place: { sequence, index } }] });
      },
      async save() {
        const expiresAt = Math.floor(Date.now() / 1000) + SEEN_DAYS * DAY_S;
        const items = [...fresh.values()].flatMap(({ clientId, minute, entries }) =>
          encodeSeen(entries).map((part) => ({
            key: keyOf(clientId, minute, rangeOf(part.entries)),
            data: part.data,
            expiresAt,
          })),
        );
        await store.append(items);
        await Promise.all([...fresh].map(([name, { entries }]) => tellAnew(name, tables.get(name), entries)));
      },
    };
  }

  /** The minute may have been forgotten since this batch began, and read anew before these were in the store. */
  async function tellAnew(name: string, known: IdTable | undefined, entries: readonly SeenEntry[]): Promise<void> {
    // Where it cannot be read, nobody has it.
    const table = await minutes.get(name)?.catch(() => undefined);
    if (!table || table === known) return;
    for (const { id, place } of entries) table.add(id, place, isBefore);
  }

  return {
    begin,
    clear() {
      minutes.clear();
      loaded.clear();
      claims.clear();
    },
  };
}

async function readMinute(store: Pick<UserStore, "list">, clientId: string, minute: number): Promise<IdTable> {
  const table = new IdTable();
  const { sort: _, ...partition } = keyOf(clientId, minute, "");
  for (const { item } of await store.list(partition, "")) {
    for (const { id, place } of decodeSeen(item.data as Uint8Array)) table.add(id, place, isBefore);
  }
  return table;
}

function keyOf(client: string, minute: number, sort: string) {
  return { client, kind: "SEEN", owner: String(minute), sort } as const;
}

/** Named after the range it covers: the same batch tried again writes the same item, a shorter one none of the longer's. */
function rangeOf(entries: readonly SeenEntry[]): string {
  return [entries[0], entries.at(-1)].map((entry) => `${entry?.place.sequence}:${entry?.place.index}`).join("-");
}

function nameOf(clientId: string, minute: number): string {
  return `${minute} ${clientId}`;
}

function claimOf(draft: Draft): string {
  return `${draft.event.event_id.toLowerCase()} ${draft.clientId}`;
}

/** By the sender's clock, mostly: what is received when differs from one repetition to the next. */
function minuteOf(draft: Draft): number {
  return Math.floor(draft.seenUnderMs / MINUTE_MS);
}

function isSame(a: SeenPlace, b: SeenPlace): boolean {
  return a.index === b.index && a.sequence === b.sequence;
}

function isBefore(a: SeenPlace, b: SeenPlace): boolean {
  return comparePlaces(a, b) < 0;
}
