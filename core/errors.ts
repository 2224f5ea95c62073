/** The few ways in which anything here can fail. Transports map each code once. */
export type ErrorCode =
  | "not_found"
  | "invalid"
  | "conflict"
  | "forbidden"
  | "limited"
  | "unavailable"
  | "misconfigured"
  | "internal";

/** One thing that is wrong with an input: where, as a JSON pointer, and why. */
export interface Fault {
  path: string;
  reason: string;
  /** Which element of a batch, where there is one. */
  index?: number;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  /** When trying again makes sense, in milliseconds from now (`limited`, `unavailable`). */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; faults?: readonly Fault[]; retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** Whether the same call may succeed later without anyone changing anything. */
export function isTransient(error: unknown): boolean {
  return isAppError(error) && (error.code === "unavailable" || error.code === "limited");
}
