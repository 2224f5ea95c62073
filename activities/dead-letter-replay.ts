import { setTimeout as sleep } from "node:timers/promises";

import { Context as ActivityContext } from "@temporalio/activity";
import { and, eq, inArray, sql } from "drizzle-orm";

import {
  type DeadLetterReplayActivities,
  NO_REPLAY_COUNTS,
  type ReplayCounts,
} from "../core/contracts/dead-letter-replay.ts";
import { type LetterOutcome, type ReEntry, reEntryOf } from "../core/dead-letter.ts";
import { AppError } from "../core/errors.ts";
import { comparePlaces, type Position } from "../core/position.ts";
import type { Context } from "../platform/context.ts";
import {
  type LetterChange,
  type LetterRow,
  recordLetters,
  type ReplayRow,
  takeLetters,
} from "../platform/dead-letter-replay.ts";
import { deadLetterReplays, deadLetters } from "../platform/postgres/schema.ts";
import { refuseLetter } from "./prepare-letter.ts";
import { type LetterStreams, putLetter } from "./put-letter.ts";

/** In one attempt; then Temporal asks again. */
const SETTLE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;
const HEARTBEAT_MS = 3_000;

export interface DeadLetterReplayDeps {
  ctx: Pick<Context, "db" | "log">;
  streams: LetterStreams;
  /** Writes letters into the lake: see `writeLetters`. */
  writeLetters(letters: readonly LetterRow[], replay: ReplayRow): Promise<LetterChange[]>;
  /** How far a consumer has come in shards of its stream; a shard it has read to its end is `ended`. */
  readProgress(
    entry: ReEntry,
    shards: readonly string[],
  ): Promise<Map<string, { checkpoint: string | null; ended: boolean }>>;
}

export function createDeadLetterReplayActivities(deps: DeadLetterReplayDeps): DeadLetterReplayActivities {
  const { db, log } = deps.ctx;
  return {
    async putLetters(input) {
      const activity = ActivityContext.current();
      const beat = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
      try {
        return await putPage(deps, await findReplay(deps, input.client_id, input.replay_id), input);
      } finally {
        clearInterval(beat);
      }
    },

    async settleLetters({ client_id, replay_id, ids }) {
      const replay = await findReplay(deps, client_id, replay_id);
      const signal = ActivityContext.current().cancellationSignal;
      const untilMs = Date.now() + SETTLE_WITHIN_MS;
      for (;;) {
        const letters = await readLetters(deps, replay, ids);
        const waiting = letters.filter((letter) => letter.state === "replaying");
        if (waiting.length === 0) return countOutcomes(letters);
        await recordLetters(db, replay, await findOutcomes(deps, replay, waiting));
        if (Date.now() > untilMs)
          throw new AppError("unavailable", "the consumer has not passed the replayed letters yet");
        ActivityContext.current().heartbeat();
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    },

    async endReplay({ client_id, replay_id, state, counts }) {
      const which = and(eq(deadLetterReplays.client_id, client_id), eq(deadLetterReplays.id, replay_id));
      await db
        .update(deadLetterReplays)
        .set({ state, counts: { ...counts }, ended_at: sql`coalesce(ended_at, clock_timestamp())` })
        .where(which);
      log.info({ client_id, replay_id, state, ...counts }, "dead letters replayed");
    },
  };
}

/** In order, so that a lane's letters keep it; what had been put before this attempt is not put again. */
async function putPage(
  deps: DeadLetterReplayDeps,
  replay: ReplayRow,
  { limit, after }: { limit: number; after?: string },
): Promise<{ ids: string[]; after?: string }> {
  const { db } = deps.ctx;
  const letters = await takeLetters(db, replay, { limit, ...(after && { after }) });
  const last = letters.at(-1);
  const results = await Promise.allSettled(
    returnLetters(
      deps,
      replay,
      letters.filter((letter) => letter.replay_place === null),
    ),
  );
  const changes = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  await recordLetters(db, replay, changes);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return { ids: letters.map((letter) => letter.id), ...(last && { after: last.created_at }) };
}

/** Each the way that its stage has. */
function returnLetters(
  { streams, writeLetters }: DeadLetterReplayDeps,
  replay: ReplayRow,
  letters: readonly LetterRow[],
): Promise<LetterChange[]>[] {
  const forLake = letters.filter((letter) => reEntryOf(letter.stage) === "lake");
  const others = letters.map(async (letter) => {
    const entry = reEntryOf(letter.stage);
    if (entry === "lake") return [];
    if (entry === null) return [refuseLetter(letter, replay, `there is no way back to the stage ${letter.stage}`)];
    return [await putLetter(streams, entry, letter, replay)];
  });
  return forLake.length === 0 ? others : [...others, writeLetters(forLake, replay)];
}

async function findReplay({ ctx }: DeadLetterReplayDeps, clientId: string, id: string): Promise<ReplayRow> {
  const where = and(eq(deadLetterReplays.client_id, clientId), eq(deadLetterReplays.id, id));
  const replay = await ctx.db.query.deadLetterReplays.findFirst({ where });
  if (replay === undefined) throw new AppError("not_found", "There is no such replay.");
  return replay;
}

type Settling = Pick<LetterRow, "id" | "stage" | "state" | "outcome" | "replay_place">;

function readLetters({ ctx }: DeadLetterReplayDeps, replay: ReplayRow, ids: readonly string[]): Promise<Settling[]> {
  return ctx.db.query.deadLetters.findMany({
    columns: { id: true, stage: true, state: true, outcome: true, replay_place: true },
    where: and(eq(deadLetters.client_id, replay.client_id), inArray(deadLetters.id, [...ids])),
  });
}

/** Of those that their consumer has passed: what it left behind says what became of them, and nothing says they went through. */
async function findOutcomes(
  deps: DeadLetterReplayDeps,
  replay: ReplayRow,
  letters: readonly Settling[],
): Promise<LetterChange[]> {
  const { db } = deps.ctx;
  const passed = await findPassed(deps, letters);
  if (passed.length === 0) return [];
  const ids = passed.map((letter) => letter.id);
  const again = await db.query.deadLetters.findMany({
    columns: { id: true, replay_of: true, reason: true },
    where: and(eq(deadLetters.client_id, replay.client_id), inArray(deadLetters.replay_of, ids)),
  });
  const failures = new Map(again.map((letter) => [letter.replay_of, letter]));
  const dropped = await findDropped(deps, passed);
  return passed.map(({ id }) => {
    const failure = failures.get(id);
    const change = (outcome: LetterOutcome, reason: string): LetterChange => ({
      id,
      state: "replayed",
      outcome,
      event: { reason, replay_id: replay.id },
    });
    if (failure) return change("failed_again", `failed again, and is back as ${failure.id}: ${failure.reason}`);
    if (dropped.has(id)) return change("duplicate", "an event with its id had been taken before");
    return change("taken", "taken");
  });
}

async function findPassed(deps: DeadLetterReplayDeps, letters: readonly Settling[]): Promise<Settling[]> {
  const passed: Settling[] = [];
  for (const [stage, group] of Map.groupBy(letters, (letter) => letter.stage)) {
    const entry = reEntryOf(stage);
    // Those are settled where they are put back.
    if (entry === null || entry === "lake") continue;
    const shards = [...new Set(group.flatMap((letter) => letter.replay_place?.shard ?? []))];
    const progress = await deps.readProgress(entry, shards);
    passed.push(...group.filter(({ replay_place }) => replay_place && isBehind(progress, replay_place)));
  }
  return passed;
}

function isBehind(
  progress: Awaited<ReturnType<DeadLetterReplayDeps["readProgress"]>>,
  { shard, sequence }: Position,
): boolean {
  const { checkpoint = null, ended = false } = progress.get(shard) ?? {};
  if (ended) return true;
  return checkpoint !== null && comparePlaces({ sequence: checkpoint, index: 0 }, { sequence, index: 0 }) >= 0;
}

/** The letters whose place is that of an event that was left out. */
async function findDropped({ ctx }: DeadLetterReplayDeps, letters: readonly Settling[]): Promise<Set<string>> {
  const places = letters.map(({ id, replay_place }) => ({ id, ...replay_place }));
  const rows = await ctx.db.execute<{ id: string }>(sql`
    select place.id from jsonb_to_recordset(${JSON.stringify(places)}::jsonb)
      as place(id uuid, shard text, sequence text, index int)
    join dropped_events d on d.source_sequence = place.sequence and d.source_index = place.index
      and d.source_shard = place.shard`);
  return new Set(rows.map((row) => row.id));
}

function countOutcomes(letters: readonly Settling[]): ReplayCounts {
  const counts = { ...NO_REPLAY_COUNTS };
  for (const { outcome } of letters) counts[outcome ?? "refused"]++;
  return counts;
}
