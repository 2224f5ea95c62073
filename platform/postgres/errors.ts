import { AppError, isAppError } from "../../core/errors.ts";

/** SQLSTATE classes and socket errors that pass by themselves: the server is away, stopping, or out of something. */
const PASSING = /^(08|53|57P|40)|^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|CONNECT|CONNECTION_)/;

/** What a failed statement means to whoever asked for it. The statement's text and values stay in the cause. */
export function toAppError(error: unknown): Error {
  if (isAppError(error)) return error;
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error ? error : new AppError("internal", "thrown", { cause: error });
  if (PASSING.test(code)) {
    return new AppError("unavailable", "The database is away for the moment.", { cause: error, retryAfterMs: 1000 });
  }
  if (code.startsWith("22")) return new AppError("invalid", "A value is out of range.", { cause: error });
  if (code === "23505") return new AppError("conflict", "It exists already.", { cause: error });
  if (code === "23503") return new AppError("not_found", "What it refers to does not exist.", { cause: error });
  return new AppError("internal", `SQLSTATE ${code}`, { cause: error });
}

/** Drizzle wraps the driver's error, and the driver the socket's. */
function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return undefined;
}
