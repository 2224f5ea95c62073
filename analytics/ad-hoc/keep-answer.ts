import { and, eq, lt, ne, or, sql } from "drizzle-orm";

import type { AdHocInput } from "../../core/contracts/ad-hoc.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { answers } from "../../platform/postgres/schema.ts";

const KEPT_DAYS = 7;

/** From now on the question is being worked at: whoever asks again finds it. */
export async function openAnswer(db: Database, question: AdHocInput): Promise<void> {
  const { question_id: id, client_id, kind, params, data_version } = question;
  const opened = { state: "running" as const, progress: 0, answer: null, fault: null, answered_at: null };
  await db
    .insert(answers)
    .values({ id, client_id, kind, params, data_version, ...opened })
    .onConflictDoUpdate({ target: answers.id, set: opened, setWhere: ne(answers.state, "done") });
}

export async function reportProgress(db: Database, { question_id }: AdHocInput, share: number): Promise<void> {
  const progress = Math.min(99, Math.max(0, Math.floor(share * 100)));
  await db
    .update(answers)
    .set({ progress })
    .where(and(eq(answers.id, question_id), eq(answers.state, "running")));
}

type Outcome = { state: "done"; answer: unknown } | { state: "failed"; fault: string };

/** Keeps the answer, and no longer those to the same question about older data. */
export async function keepAnswer(db: Database, question: AdHocInput, outcome: Outcome): Promise<void> {
  const { question_id, client_id, kind, params } = question;
  await db.transaction(async (tx) => {
    await tx
      .update(answers)
      .set({ ...outcome, progress: 100, answered_at: sql`now()` })
      .where(and(eq(answers.id, question_id), ne(answers.state, "done")));
    const isSame = and(eq(answers.kind, kind), eq(answers.params, params));
    const isOld = lt(answers.asked_at, sql`now() - make_interval(days => ${KEPT_DAYS})`);
    const isOther = and(ne(answers.id, question_id), ne(answers.state, "running"));
    await tx.delete(answers).where(and(eq(answers.client_id, client_id), isOther, or(isSame, isOld)));
  });
}
