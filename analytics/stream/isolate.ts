import { isAppError } from "../../core/errors.ts";

/** SQLSTATE classes that speak of the data, not of the server or the schema: data exception, integrity. */
const POISONOUS_SQL = /^(22|23)/;
/** What DynamoDB answers to a request that will never be right. */
const POISONOUS_NAMES = new Set(["ValidationException", "TypeError", "RangeError", "SyntaxError", "URIError"]);

/**
 * Handles events together. Where that fails for a reason that lies in the events themselves, in halves, until what is bad is
 * alone: then `setAside` is told, and everyone else goes on in order. `handle` must do no harm when it is given an event
 * again. Trouble with a store is thrown: it is nobody's fault, and the batch comes again.
 */
export async function isolatePoison<E>(
  events: readonly E[],
  handle: (events: readonly E[]) => Promise<void>,
  setAside: (event: E, error: Error) => Promise<void>,
): Promise<void> {
  try {
    await handle(events);
  } catch (error) {
    const [only] = events;
    if (only === undefined || !isPoison(error)) throw error;
    if (events.length === 1) return setAside(only, error as Error);
    const middle = Math.ceil(events.length / 2);
    await isolatePoison(events.slice(0, middle), handle, setAside);
    await isolatePoison(events.slice(middle), handle, setAside);
  }
}

/** Whether the same input would fail again, however well the stores are: the cause decides, where there is one. */
function isPoison(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.cause instanceof Error) return isPoison(error.cause);
  if (isAppError(error)) return error.code === "invalid";
  const { code } = error as { code?: unknown };
  return POISONOUS_NAMES.has(error.name) || (typeof code === "string" && POISONOUS_SQL.test(code) && code.length === 5);
}
