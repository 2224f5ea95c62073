import { HOUR_MS } from "../../core/time.ts";
import type { ProviderAnswer } from "./provider.ts";

const DEFAULT_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = HOUR_MS;

export interface HttpRefusal {
  provider: string;
  status: number;
  /** The provider's own code for what is wrong. */
  code: string;
  retryAfterMs?: number | undefined;
}

/** What an answer other than success means for the message. */
export function classifyStatus({ provider, status, code, retryAfterMs }: HttpRefusal): ProviderAnswer {
  const reason = `${provider}:${code}`;
  if (status === 429) {
    return { kind: "limited", reason, retry_after_ms: Math.min(retryAfterMs ?? DEFAULT_PAUSE_MS, LONGEST_PAUSE_MS) };
  }
  // Our credentials are wrong, not the message: it waits until somebody has put them right.
  if (status === 401 || status === 407) return { kind: "unreachable", reason };
  // Also of a gateway before the provider, behind which the message may well have arrived.
  if (status >= 500 || status === 408) return { kind: "lost", reason };
  return { kind: "refused", reason };
}

/** What no answer at all means: only where no connection came about has certainly nothing been sent. */
export function classifyFailure(provider: string, error: unknown): ProviderAnswer {
  const causes = causesOf(error);
  const code = causes.map(({ code }) => code).find((code) => typeof code === "string") ?? "no_answer";
  const reason = `${provider}:${code}`;
  return causes.some(isBeforeSending) ? { kind: "unreachable", reason } : { kind: "lost", reason };
}

interface Cause {
  code?: unknown;
  syscall?: unknown;
}

const NEVER_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_INVALID_URL",
]);

function isBeforeSending({ code, syscall }: Cause): boolean {
  return syscall === "connect" || syscall === "getaddrinfo" || (typeof code === "string" && NEVER_CONNECTED.has(code));
}

/** The error, what it wraps, and what those gather (a host with two addresses fails twice). */
function causesOf(error: unknown, depth = 0): Cause[] {
  if (typeof error !== "object" || error === null || depth > 5) return [];
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  const gathered = Array.isArray(errors) ? errors : [];
  return [error as Cause, ...[cause, ...gathered].flatMap((inner) => causesOf(inner, depth + 1))];
}

/** A `Retry-After` header: seconds, or a date. */
export function retryAfterOf(header: unknown, nowMs = Date.now()): number | undefined {
  if (typeof header !== "string" && typeof header !== "number") return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(String(header)) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
