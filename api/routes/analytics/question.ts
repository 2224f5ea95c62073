import { z } from "zod";

import { type AnswerRow, askQuestion, type AskDeps, findAnswer } from "../../../analytics/ad-hoc/ask.ts";
import type { DataSource } from "../../../analytics/ad-hoc/data-version.ts";
import { AD_HOC_TASK_QUEUE, AD_HOC_WORKFLOW, adHocWorkflowId, type Question } from "../../../core/contracts/ad-hoc.ts";
import { AppError } from "../../../core/errors.ts";
import { requireScope } from "../../../crm/context.ts";
import type { ApiContext } from "../../context.ts";
import { type Answer, defineRoute } from "../../route.ts";

export const questionSchema = z
  .object({
    question_id: z.guid(),
    state: z.enum(["running", "done", "failed"]),
    progress: z.int().min(0).max(100).meta({ description: "Of a hundred." }),
    answer: z.unknown().meta({ description: "What the route that was asked would have answered; null until then." }),
    fault: z.string().nullable().meta({ description: "Why there is no answer." }),
    href: z.string().meta({ description: "Where to look again." }),
  })
  .meta({ id: "Question" });

/** 202, for a route that answers by a question. */
export const ACCEPTED = {
  description: "It takes longer: look again at `href`, or ask again.",
  schema: questionSchema,
};

/** 200 with the answer, if it is there within some seconds, else 202 with where to look. */
export async function answerBy(
  api: ApiContext,
  clientId: string,
  question: Question,
  source: DataSource,
): Promise<Answer> {
  const found = await askQuestion(askDeps(api, clientId), question, source);
  if ("answer" in found) return { status: 200, body: found.answer };
  const { question_id, progress } = found;
  return { status: 202, body: { ...view(question_id, progress), state: "running", answer: null, fault: null } };
}

function askDeps(api: ApiContext, clientId: string): AskDeps {
  return {
    db: api.tenantDb,
    clientId,
    start: (input) =>
      api.workflows.start(AD_HOC_WORKFLOW, {
        workflowId: adHocWorkflowId(clientId, input.question_id),
        taskQueue: AD_HOC_TASK_QUEUE,
        input,
      }),
  };
}

export const getQuestionRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/questions/{id}",
  operationId: "getQuestion",
  tag: "analytics",
  summary: "How far a question has come that takes longer to answer, and its answer",
  scope: "read",
  cache: false,
  input: z.object({ id: z.guid() }),
  responses: { 200: { description: "As it is now.", schema: questionSchema } },
  problems: [404],
  async handle({ ctx, api, input }) {
    requireScope(ctx, "read");
    const row = await findAnswer({ db: api.tenantDb, clientId: ctx.principal.client_id }, input.id);
    if (!row)
      throw new AppError("not_found", "There is no such question, or its answer has been forgotten: ask again.");
    return { status: 200, body: viewRow(row) };
  },
});

function viewRow({ id, progress, state, answer, fault }: AnswerRow): z.input<typeof questionSchema> {
  return { ...view(id, progress), state, answer, fault };
}

function view(question_id: string, progress: number) {
  return { question_id, progress, href: `/api/v1/analytics/questions/${question_id}` };
}
