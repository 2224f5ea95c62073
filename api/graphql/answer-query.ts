import { GraphQLError, parse as parseQuery, validate } from "graphql";
import { createHandler } from "graphql-http";
import type { z } from "zod";

import { AppError } from "../../core/errors.ts";
import { findUnstorable, parse } from "../../core/parse.ts";
import { answerOf } from "../../core/problem.ts";
import { logAccess } from "../../crm/context.ts";
import { answerCached, cachePolicyOf } from "../answer-cached.ts";
import type { Reports } from "../reports.ts";
import type { Answer, Call, JsonRoute } from "../route.ts";
import { toQuery } from "./arguments.ts";
import { buildSchema } from "./build-schema.ts";
import { limitQuery, MOST_TOKENS } from "./limit-query.ts";

type AnyCall = Call<z.ZodObject, z.ZodType>;
type Context = { call: AnyCall };
type Handler = ReturnType<typeof createHandler<AnyCall["request"], AnyCall, Context>>;

const handlers = new WeakMap<Reports, Handler>();

/** GraphQL over HTTP: what is wrong with the request as such is a problem, what is wrong with a report stands in `errors`. */
export async function answerQuery(call: AnyCall): Promise<Answer> {
  const { request, reports, body } = call;
  let handler = handlers.get(reports);
  if (!handler) handlers.set(reports, (handler = makeHandler(reports)));
  const headers = request.headers as Record<string, string>;
  const [json, { status, headers: theirs }] = await handler({
    method: "POST",
    url: request.url ?? "",
    headers,
    body: body as Record<string, unknown>,
    raw: request,
    context: call,
  });
  return { status, ...(json !== null && { json }), ...(theirs && { headers: theirs }) };
}

function makeHandler(reports: Reports): Handler {
  return createHandler<AnyCall["request"], AnyCall, Context>({
    schema: buildSchema<Context>(reports, (route, given, { call }) => resolveReport(route, given, call)),
    context: ({ context }) => ({ call: context }),
    parse: (source, options) => parseQuery(source, { ...options, maxTokens: MOST_TOKENS }),
    // What is too much is not looked at any further.
    validate: (schema, document) => {
      const faults = validate(schema, document, [limitQuery]);
      return faults.length > 0 ? faults : validate(schema, document);
    },
  });
}

/** By the same way as the route's own answer: its checks, its cache, its scope. */
async function resolveReport(route: JsonRoute, given: Record<string, unknown>, call: AnyCall): Promise<unknown> {
  try {
    const query = toQuery(given);
    const faults = findUnstorable(query);
    if (faults.length > 0) throw new AppError("invalid", "The query is not valid.", { faults });
    const input = route.input ? parse(route.input, query, "query") : {};
    if (route.access) logAccess(call.ctx, ...route.access);
    const { status, json } = await answerCached(route, { ...call, input }, cachePolicyOf(route)!, "");
    const body: unknown = JSON.parse(json!);
    if (status === 200) return body;
    throw new GraphQLError("It takes longer: ask again.", { extensions: { code: "running", question: body } });
  } catch (error) {
    throw error instanceof GraphQLError ? error : describe(error, call);
  }
}

/** The problem that the route would have answered. */
function describe(error: unknown, { ctx }: AnyCall): GraphQLError {
  const { problem } = answerOf(error, ctx.principal.request_id);
  if (problem.status >= 500) ctx.log.error({ request_id: problem.request_id, err: error }, "report failed");
  const { title, detail, code, status, errors, request_id } = problem;
  return new GraphQLError(detail ?? title, { extensions: { code, status, request_id, ...(errors && { errors }) } });
}
