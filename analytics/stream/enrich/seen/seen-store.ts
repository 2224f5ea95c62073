import { comparePlaces } from "../../../../core/position.ts";
import { inParallel, type UserStore } from "../../../../platform/user-store.ts";
import type { Draft } from "../step.ts";
import { IdTable, type SeenPlace } from "./id-table.ts";
import { decodeSeen, encodeSeen, type SeenEntry } from "./seen-codec.ts";

/** For how long an id is remembered; what comes back later is found by the ETL. */
export const SEEN_DAYS = 7;
/** Ids kept in memory, in whole minutes: 100 MB at the most. */
const MAX_IDS = 2_000_000;
const PARALLEL_LOADS = 16;
const MINUTE_MS = 60_000;
const DAY_S = 86_400;

export interface SeenStore {
  /** What one batch looks up and adds. */
  begin(): SeenBatch;
  /** Forgets what is in memory: shards of another process have come to this one. */
  clear(): void;
}

export interface SeenBatch {
  load(drafts: readonly Draft[]): Promise<void>;
  /** Whether the same id came before, from elsewhere in the stream. */
  isDuplicate(draft: Draft): boolean;
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
  let generation = 0;

  async function loadMinute(clientId: string, minute: number): Promise<void> {
    const name = nameOf(clientId, minute);
    const known = minutes.get(name);
    if (known) return void (await known);
    const loading = readMinute(store, clientId, minute);
    minutes.set(name, loading);
    const startedIn = generation;
    try {
      const table = await loading;
      if (startedIn === generation) loaded.set(name, table);
    } catch (error) {
      minutes.delete(name);
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
        await inParallel([...wanted.values()], PARALLEL_LOADS, (draft) => loadMinute(draft.clientId, minuteOf(draft)));
        for (const name of wanted.keys()) {
          const table = await minutes.get(name);
          if (!table) continue;
          tables.set(name, table);
          // To the end: the order is that of use.
          if (loaded.delete(name)) loaded.set(name, table);
        }
      },
      isDuplicate(draft) {
        const place = tables.get(nameOf(draft.clientId, minuteOf(draft)))?.find(draft.event.event_id);
        return place !== undefined && !isSame(place, draft.source);
      },
      remember(draft) {
        const minute = minuteOf(draft);
        const name = nameOf(draft.clientId, minute);
        const { event_id: id } = draft.event;
        const { sequence, index } = draft.source;
        tables.get(name)?.add(id, { sequence, index }, isBefore);
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
      },
    };
  }

  return {
    begin,
    clear() {
      generation++;
      minutes.clear();
      loaded.clear();
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

/** By the sender's clock: what is received when differs from one repetition to the next. */
function minuteOf(draft: Draft): number {
  return Math.floor(draft.sentAtMs / MINUTE_MS);
}

function isSame(a: SeenPlace, b: SeenPlace): boolean {
  return a.index === b.index && a.sequence === b.sequence;
}

function isBefore(a: SeenPlace, b: SeenPlace): boolean {
  return comparePlaces(a, b) < 0;
}
