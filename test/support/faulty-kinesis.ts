import { internalFailure, operationOf, partial, throttle } from "./fault-proxy/aws-fates.ts";
import { hang, resetAfter, resetBefore } from "./fault-proxy/fates.ts";
import { type Fate, type HttpProxy, pass, startHttpProxy } from "./fault-proxy/http-proxy.ts";

/** What becomes of a PutRecords on its way to the stream. */
export type PutFate = "pass" | "partial" | "throttle" | "error" | "reset-before" | "reset-after" | "hang";

export interface FaultyKinesis extends Pick<HttpProxy, "url" | "close"> {
  /** How often each fate was met. */
  met: Map<PutFate, number>;
}

const FATES: Record<PutFate, Fate> = {
  pass,
  partial: partial((place) => place % 2 === 1),
  throttle,
  error: internalFailure,
  "reset-before": resetBefore,
  "reset-after": resetAfter,
  hang,
};

/**
 * Stands between a client and the stream at `target`, and does to its puts what a network and a busy stream do: `fate` is
 * asked for each. Everything else passes.
 */
export async function startFaultyKinesis(target: string, fate: () => PutFate): Promise<FaultyKinesis> {
  const proxy = await startHttpProxy(target);
  const met = new Map<PutFate, number>();
  proxy.set((exchange) => {
    if (operationOf(exchange) !== "PutRecords") return ["other", pass];
    const chosen = fate();
    met.set(chosen, (met.get(chosen) ?? 0) + 1);
    return [chosen, FATES[chosen]];
  });
  return { url: proxy.url, met, close: proxy.close };
}
