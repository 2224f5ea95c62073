import { count, eq } from "drizzle-orm";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { Database } from "../platform/postgres/database.ts";
import { deadLetters } from "../platform/postgres/schema.ts";

export interface ApiMetrics {
  registry: Registry;
  observe(route: string, method: string, status: number, seconds: number): void;
  webhook(provider: string, outcome: "taken" | "refused"): void;
  cached(operation: string, outcome: string): void;
}

/** `db` as owner: what is open is counted over all clients. */
export function createMetrics(db: Database): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "livora_api_request_seconds",
    help: "Requests to the API, by route",
    labelNames: ["route", "method", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const webhooks = new Counter({
    name: "livora_webhooks_total",
    help: "Webhooks of providers, by whether their signature held",
    labelNames: ["provider", "outcome"],
    registers: [registry],
  });
  const cached = new Counter({
    name: "livora_api_cached_total",
    help: "Answers of routes that are cached, by where they came from",
    labelNames: ["operation", "outcome"],
    registers: [registry],
  });
  registry.registerMetric(openDeadLetters(db));
  return {
    registry,
    observe: (route, method, status, seconds) => requests.observe({ route, method, status: String(status) }, seconds),
    cached: (operation, outcome) => cached.inc({ operation, outcome }),
    webhook: (provider, outcome) => webhooks.inc({ provider, outcome }),
  };
}

function openDeadLetters(db: Database): Gauge {
  return new Gauge({
    name: "livora_dead_letters_open",
    help: "Dead letters that nobody has replayed or discarded, by stage and by what is to blame",
    labelNames: ["stage", "kind"],
    registers: [],
    async collect() {
      const rows = await db
        .select({ stage: deadLetters.stage, kind: deadLetters.kind, open: count() })
        .from(deadLetters)
        .where(eq(deadLetters.state, "open"))
        .groupBy(deadLetters.stage, deadLetters.kind)
        .catch(() => []);
      this.reset();
      for (const { stage, kind, open } of rows) this.set({ stage, kind }, open);
    },
  });
}
