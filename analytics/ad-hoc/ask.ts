import { setTimeout as sleep } from "node:timers/promises";

import { and, eq } from "drizzle-orm";

import type { AdHocInput, Question } from "../../core/contracts/ad-hoc.ts";
import { AppError } from "../../core/errors.ts";
import { identifyQuestion } from "../../core/question.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { toAppError } from "../../platform/postgres/errors.ts";
import { answers } from "../../platform/postgres/schema.ts";
import { forClient } from "../../platform/postgres/tenant.ts";
import { type DataSource, readDataVersion } from "./data-version.ts";

/** As long as a person waits without wondering. */
const PATIENCE_MS = 4_000;
const LOOK_EVERY_MS = 100;

export interface AskDeps {
  /** As the tenant role. */
  db: Database;
  clientId: string;
  /** Starts the workflow; one that is under way stays the one. */
  start(input: AdHocInput): Promise<void>;
  patienceMs?: number;
}

export type AnswerRow = typeof answers.$inferSelect;

/**
 * The answer, if it is there or comes within some seconds; else the question's id, to look again. Asked again, a question that
 * failed is tried again. Throws `invalid` with the reason where it cannot be answered, `unavailable` where nobody can be asked.
 */
export async function askQuestion<A>(
  deps: AskDeps,
  question: Question,
  source: DataSource,
): Promise<{ answer: A } | { question_id: string; progress: number }> {
  const { db, clientId, start, patienceMs = PATIENCE_MS } = deps;
  const version = await forClient(db, clientId, (tx) => readDataVersion(tx, clientId, source)).catch(rethrow);
  const input = identifyQuestion(clientId, question, version);
  const known = await findAnswer(deps, input.question_id);
  if (known?.state === "done") return { answer: known.answer as A };
  if (!known) await noteQuestion(deps, input);
  await start(input);
  const until = Date.now() + patienceMs;
  for (;;) {
    const row = await findAnswer(deps, input.question_id);
    if (row?.state === "done") return { answer: row.answer as A };
    // What failed before was asked again just now: only what failed since counts.
    if (row?.state === "failed" && row.answered_at !== known?.answered_at) {
      throw new AppError("invalid", `It cannot be answered: ${row.fault}`);
    }
    if (Date.now() >= until) return { question_id: input.question_id, progress: row?.progress ?? 0 };
    await sleep(LOOK_EVERY_MS);
  }
}

/** Undefined where it was never asked, or so long ago that the answer is gone. */
export async function findAnswer(
  { db, clientId }: Pick<AskDeps, "db" | "clientId">,
  questionId: string,
): Promise<AnswerRow | undefined> {
  const where = and(eq(answers.client_id, clientId), eq(answers.id, questionId));
  return forClient(db, clientId, (tx) => tx.query.answers.findFirst({ where })).catch(rethrow);
}

/** So that whoever looks finds it, also before anybody works at it. */
async function noteQuestion({ db, clientId }: AskDeps, input: AdHocInput): Promise<void> {
  const { question_id: id, client_id, kind, params, data_version } = input;
  const row = { id, client_id, kind, params, data_version };
  await forClient(db, clientId, (tx) => tx.insert(answers).values(row).onConflictDoNothing()).catch(rethrow);
}

function rethrow(error: unknown): never {
  throw toAppError(error);
}
