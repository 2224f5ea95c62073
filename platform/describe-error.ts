/** What the log keeps of an error: what failed and where, never what it failed on. */
export interface DescribedError {
  type: string;
  code?: string;
  message: string;
  /** Where it was thrown, innermost first. */
  stack?: string;
  cause?: DescribedError;
}

const MAX_CAUSES = 5;
const MAX_MESSAGE = 500;

/**
 * Errors carry more than they should: Drizzle's message ends with the statement's parameters, PostgreSQL quotes the value
 * that did not fit and names in `detail` the key that was there already. Those are addresses and names of people.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutValues(String(error)) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const stack = error.stack?.split("\n").filter((line) => line.startsWith("    at "));
  const hasCause = error.cause !== undefined && depth < MAX_CAUSES;
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: withoutValues(error.message, code),
    ...(stack && stack.length > 0 && { stack: stack.join("\n") }),
    ...(hasCause && { cause: describeError(error.cause, depth + 1) }),
  };
}

/** SQLSTATE class 22: a value that cannot be what it was to be; the message quotes it. */
function withoutValues(message: string, code?: string): string {
  const text = message.split("\nparams:", 1)[0] ?? "";
  const unquoted = code?.startsWith("22") ? text.replaceAll(/"[^"]*"/g, '"…"') : text;
  return unquoted.slice(0, MAX_MESSAGE);
}
