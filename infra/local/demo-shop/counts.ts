import postgres from "postgres";

import type { Config } from "../../../platform/config.ts";

export interface Counts {
  enriched: number;
  runs: number;
  open: number;
  messages: number;
  deadLetters: number;
}

export interface Counter {
  read(): Promise<Counts>;
  close(): Promise<void>;
}

/** What Livora made of the events, from where it keeps it: the ledger and the consumers' own metrics. */
export function createCounter(config: Config, clientId: string): Counter {
  const sql = postgres(config.LIVORA_POSTGRES_URL, {
    max: 1,
    connect_timeout: 2,
    idle_timeout: 30,
    onnotice: () => {},
  });
  return {
    async read() {
      const [row] = await sql<Omit<Counts, "enriched">[]>`
        select (select count(*)::int from journey_runs where client_id = ${clientId}) as runs,
               (select count(*)::int from journey_runs where client_id = ${clientId} and state in ('active', 'held')) as open,
               (select count(*)::int from deliveries where client_id = ${clientId} and state in ('submitted', 'delivered')) as messages,
               (select count(*)::int from dead_letters where client_id = ${clientId}) as "deadLetters"`;
      const enriched = await readEnriched(config.LIVORA_CONSUMERS_METRICS_PORT);
      return { enriched, runs: 0, open: 0, messages: 0, deadLetters: 0, ...row };
    },
    close: () => sql.end({ timeout: 1 }),
  };
}

/** Events that came out of enrichment since the consumers started. */
async function readEnriched(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) });
  const lines = (await response.text()).split("\n");
  const enriched = lines.filter((line) => line.startsWith('livora_enrich_events_total{outcome="enriched"'));
  return enriched.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

export function describeCounts(accepted: number, { enriched, runs, open, messages, deadLetters }: Counts): string {
  const parts = [
    `${accepted} events accepted`,
    `${enriched} enriched`,
    `${runs} runs (${open} open)`,
    `${messages} messages`,
    ...(deadLetters > 0 ? [`${deadLetters} dead letters`] : []),
  ];
  return parts.join(" · ");
}
