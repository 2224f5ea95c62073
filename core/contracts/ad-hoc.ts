/** Questions that no aggregate answers: worked out once for each state of the data, away from the request that asks. */
export const AD_HOC_WORKFLOW = "answerQuestion";
/** A queue of its own: an answer that somebody waits for must not stand behind a nightly run. */
export const AD_HOC_TASK_QUEUE = "ad-hoc";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Question {
  /** Who can answer it: a name in `analytics/ad-hoc/answerers.ts`. */
  kind: string;
  params: Readonly<Record<string, Json>>;
}

export interface AdHocInput extends Question {
  client_id: string;
  /** Of question and data: see `core/question.ts`. */
  question_id: string;
  /** Of what the data were when it was asked; another state makes another question of it. */
  data_version: string;
}

export type QuestionState = "running" | "done" | "failed";

export interface AdHocActivities {
  /** Works it out and keeps the answer; a question that is wrong in itself is kept as failed, with the reason. May be repeated. */
  answerQuestion(input: AdHocInput): Promise<Exclude<QuestionState, "running">>;
  /** Keeps that there is no answer, after all attempts. */
  giveUp(input: AdHocInput & { fault: string }): Promise<void>;
}

export function adHocWorkflowId(clientId: string, questionId: string): string {
  return `ask:${clientId}:${questionId}`;
}
