import { z } from "zod";

import { AppError, type ErrorCode, type Fault, isAppError } from "./errors.ts";

/** RFC 9457: what every error looks like over HTTP. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: "`about:blank`: the status says it all." }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: "One of Livora's error codes, or the status in words." }),
    detail: z.string().optional(),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: "JSON pointer to what is wrong." }),
          reason: z.string(),
          index: z.int().optional().meta({ description: "Which element of a batch." }),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem" });

export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = "application/problem+json";

const STATUS: Record<ErrorCode, number> = {
  invalid: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  limited: 429,
  misconfigured: 500,
  internal: 500,
  unavailable: 503,
};

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A refusal that only HTTP knows: no such method, no such media type, not authenticated. */
export class HttpError extends AppError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    faults: readonly Fault[] = [],
  ) {
    super("invalid", message, { faults });
    this.status = status;
    this.headers = headers;
  }
}

/** Who asks is not known: 401, with the challenge that RFC 6750 asks for. `error`: what is wrong with the token, where one was shown. */
export function unauthorized(message: string, error?: string): HttpError {
  const challenge = error ? `Bearer realm="livora", error="${error}"` : 'Bearer realm="livora"';
  return new HttpError(401, message, { "www-authenticate": challenge });
}

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  problem: Problem;
}

/** What the caller is told of an error. Of one that nobody foresaw, nothing but that it happened. */
export function answerOf(error: unknown, requestId: string): ProblemAnswer {
  if (!isAppError(error)) return answer(500, "internal", undefined, requestId);
  if (error instanceof HttpError) {
    const code = (TITLES[error.status] ?? "refused").toLowerCase().replaceAll(" ", "_");
    return answer(error.status, code, error, requestId, error.headers);
  }
  const status = STATUS[error.code];
  const retryAfter: Record<string, string> =
    error.retryAfterMs === undefined
      ? {}
      : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) };
  // What went wrong inside is for the log.
  return answer(status, error.code, status === 500 ? undefined : error, requestId, retryAfter);
}

function answer(
  status: number,
  code: string,
  error: AppError | undefined,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): ProblemAnswer {
  const problem: Problem = {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    code,
    ...(error && { detail: error.message }),
    request_id: requestId,
    ...(error && error.faults.length > 0 && { errors: [...error.faults] }),
  };
  return { status, headers: { "content-type": PROBLEM_TYPE, ...headers }, problem };
}
