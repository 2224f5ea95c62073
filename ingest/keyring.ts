import { and, eq, inArray, isNull } from "drizzle-orm";

import { type ApiScope, hashApiKey } from "../core/api-key.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../platform/logger.ts";
import type { Database } from "../platform/postgres/database.ts";
import { apiKeys, clients } from "../platform/postgres/schema.ts";

/** Who holds a key, and what they may. */
export interface Caller {
  clientId: string;
  scopes: readonly ApiScope[];
  eventsPerSecond: number;
}

/** Where a client has set none. */
const DEFAULT_EVENTS_PER_SECOND = 100_000;

const REFRESH_EVERY_MS = 1_000;
const UNKNOWN_FOR_MS = 1_000;
const LOOK_UP_TIMEOUT_MS = 3_000;
const MAX_KEYS = 20_000;
const MAX_UNKNOWN = 20_000;

export interface Keyring {
  /** A key verified before; undefined where it must be looked up. No network, no hashing. */
  known(token: string): Caller | undefined;
  /** Asks the database; null where there is no such key. Throws `unavailable` where the database is away. */
  lookUp(token: string): Promise<Caller | null>;
  /** Looks all known keys up again: what was revoked is forgotten. Keeps everything while the database is away. */
  refresh(): Promise<void>;
  /** Whether the database has answered since the start. */
  readonly hasReachedDatabase: boolean;
  stop(): void;
}

export function createKeyring(db: Database, log: Logger): Keyring {
  const callers = new Map<string, { hash: string; caller: Caller }>();
  const unknownUntil = new Map<string, number>();
  const underWay = new Map<string, Promise<Caller | null>>();
  let hasReachedDatabase = false;

  const read = async (hashes: readonly string[]): Promise<Map<string, Caller>> => {
    const rows = await withTimeout(selectKeys(db, hashes));
    hasReachedDatabase = true;
    return new Map(rows.map((row) => [row.key_hash, callerOf(row)]));
  };

  const ask = async (token: string): Promise<Caller | null> => {
    const hash = hashApiKey(token);
    const caller = (await read([hash])).get(hash) ?? null;
    if (caller) remember(callers, token, { hash, caller }, MAX_KEYS);
    else remember(unknownUntil, token, Date.now() + UNKNOWN_FOR_MS, MAX_UNKNOWN);
    return caller;
  };

  const refresh = async () => {
    try {
      const entries = [...callers];
      const found = await read(entries.map(([, entry]) => entry.hash));
      for (const [token, { hash }] of entries) {
        const caller = found.get(hash);
        if (caller) callers.set(token, { hash, caller });
        else callers.delete(token);
      }
    } catch (error) {
      log.debug({ err: error instanceof Error ? error.message : String(error) }, "keys not refreshed");
    } finally {
      if (!isStopped) timer = setTimeout(refresh, REFRESH_EVERY_MS).unref();
    }
  };
  let isStopped = false;
  let timer = setTimeout(refresh, 0).unref();

  return {
    known: (token) => callers.get(token)?.caller,
    async lookUp(token) {
      if ((unknownUntil.get(token) ?? 0) > Date.now()) return null;
      const asking = underWay.get(token) ?? ask(token).finally(() => underWay.delete(token));
      underWay.set(token, asking);
      return asking;
    },
    async refresh() {
      clearTimeout(timer);
      await refresh();
    },
    get hasReachedDatabase() {
      return hasReachedDatabase;
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

type KeyRow = Awaited<ReturnType<typeof selectKeys>>[number];

function selectKeys(db: Database, hashes: readonly string[]) {
  return db
    .select({
      key_hash: apiKeys.key_hash,
      client_id: apiKeys.client_id,
      scopes: apiKeys.scopes,
      settings: clients.settings,
    })
    .from(apiKeys)
    .innerJoin(clients, eq(clients.id, apiKeys.client_id))
    .where(and(inArray(apiKeys.key_hash, [...hashes]), isNull(apiKeys.revoked_at)));
}

function callerOf(row: KeyRow): Caller {
  const eventsPerSecond = row.settings.events_per_second ?? DEFAULT_EVENTS_PER_SECOND;
  return { clientId: row.client_id, scopes: row.scopes, eventsPerSecond };
}

/** The oldest makes room: a flood of tokens must not be a flood of memory. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  if (map.size >= max) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), LOOK_UP_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, timeout]);
  } catch (cause) {
    throw new AppError("unavailable", "Keys cannot be verified right now.", { cause, retryAfterMs: 2_000 });
  } finally {
    clearTimeout(timer);
  }
}
