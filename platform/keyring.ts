import { and, eq, isNull, sql } from "drizzle-orm";

import { type ApiScope, hashApiKey } from "../core/api-key.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "./logger.ts";
import type { Database } from "./postgres/database.ts";
import { apiKeys, clients } from "./postgres/schema.ts";
import { withTimeout } from "./with-timeout.ts";

/** Who holds a key, and what they may. */
export interface Caller {
  clientId: string;
  /** Who did it, for the records; nothing of it is secret. */
  actor: string;
  scopes: readonly ApiScope[];
  eventsPerSecond: number;
}

/** Where a client has set none. */
const DEFAULT_EVENTS_PER_SECOND = 100_000;

/** How long a key that was revoked may still be believed, as long as the database answers. */
const REFRESH_EVERY_MS = 1_000;
const UNKNOWN_FOR_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 3_000;
const RETRY_AFTER_MS = 1_000;
const MAX_KEYS = 20_000;
const MAX_UNKNOWN = 20_000;
/** Who comes when so many wait already is told to come back. */
const MAX_WAITING = 10_000;

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

/**
 * API keys, for everyone who is shown one. A flood of tokens that nobody issued costs the database one statement at a time and
 * this process some megabytes, and pushes no key out.
 */
export function createKeyring(db: Database, log: Logger): Keyring {
  const callers = new Map<string, { hash: string; caller: Caller }>();
  const unknownUntil = new Map<string, number>();
  let hasReachedDatabase = false;

  const read = async (hashes: readonly string[]): Promise<Map<string, Caller>> => {
    const rows = await withTimeout(() => selectKeys(db, hashes), STATEMENT_TIMEOUT_MS, "PostgreSQL").catch((cause) => {
      throw unavailable(cause);
    });
    hasReachedDatabase = true;
    return new Map(rows.map((row) => [row.key_hash, callerOf(row)]));
  };
  const find = gathering(read);

  const refresh = async () => {
    try {
      const entries = [...callers];
      if (entries.length === 0 && hasReachedDatabase) return;
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
      const hash = hashApiKey(token);
      if ((unknownUntil.get(hash) ?? 0) > performance.now()) return null;
      const caller = await find(hash);
      if (caller) remember(callers, token, { hash, caller }, MAX_KEYS);
      else remember(unknownUntil, hash, performance.now() + UNKNOWN_FOR_MS, MAX_UNKNOWN);
      return caller;
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

/** One statement at a time: what is asked for meanwhile goes into the next one together, the same hash once. */
function gathering(read: (hashes: readonly string[]) => Promise<Map<string, Caller>>) {
  let waiting = new Map<string, PromiseWithResolvers<Caller | null>>();
  let isReading = false;

  const readAll = async (): Promise<void> => {
    isReading = true;
    while (waiting.size > 0) {
      const batch = waiting;
      waiting = new Map();
      try {
        const found = await read([...batch.keys()]);
        for (const [hash, asked] of batch) asked.resolve(found.get(hash) ?? null);
      } catch (error) {
        for (const asked of batch.values()) asked.reject(error);
      }
    }
    isReading = false;
  };

  return async (hash: string): Promise<Caller | null> => {
    const asked = waiting.get(hash) ?? Promise.withResolvers<Caller | null>();
    if (waiting.size >= MAX_WAITING) throw unavailable();
    waiting.set(hash, asked);
    if (!isReading) void readAll();
    return asked.promise;
  };
}

type KeyRow = Awaited<ReturnType<typeof selectKeys>>[number];

function selectKeys(db: Database, hashes: readonly string[]) {
  // One parameter, however many they are; hexadecimal needs no quotes.
  const among = sql`${apiKeys.key_hash} = any (${`{${hashes.join(",")}}`}::text[])`;
  return db
    .select({
      key_hash: apiKeys.key_hash,
      prefix: apiKeys.prefix,
      client_id: apiKeys.client_id,
      scopes: apiKeys.scopes,
      settings: clients.settings,
    })
    .from(apiKeys)
    .innerJoin(clients, eq(clients.id, apiKeys.client_id))
    .where(and(among, isNull(apiKeys.revoked_at)));
}

function callerOf({ client_id, prefix, scopes, settings }: KeyRow): Caller {
  const eventsPerSecond = settings.events_per_second ?? DEFAULT_EVENTS_PER_SECOND;
  return { clientId: client_id, actor: `key:${prefix}`, scopes, eventsPerSecond };
}

/** The oldest makes room. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  if (map.size >= max) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}

function unavailable(cause?: unknown): AppError {
  return new AppError("unavailable", "Keys cannot be verified right now.", { cause, retryAfterMs: RETRY_AFTER_MS });
}
