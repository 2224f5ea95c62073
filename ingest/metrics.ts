import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What Prometheus reads at `/metrics`. */
export function createIngestMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "livora_ingest_requests_total",
    help: "Requests to POST /v1/events, by status",
    labelNames: ["status"],
    registers,
  });
  const accepted = new Counter({
    name: "livora_ingest_events_accepted_total",
    help: "Events that the stream has acknowledged",
    registers,
  });
  const refused = new Counter({
    name: "livora_ingest_requests_refused_total",
    help: "Requests refused, by reason",
    labelNames: ["reason"],
    registers,
  });
  const seconds = new Histogram({
    name: "livora_ingest_request_duration_seconds",
    help: "From the request's head to its answer",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const streamRetries = new Counter({
    name: "livora_ingest_stream_retries_total",
    help: "Records that the stream did not take at once, by its error code",
    labelNames: ["code"],
    registers,
  });
  const streamPuts = new Counter({
    name: "livora_ingest_stream_puts_total",
    help: "Calls of PutRecords, each with what had come together",
    registers,
  });
  const streamRecords = new Counter({
    name: "livora_ingest_stream_records_total",
    help: "Records in them: lanes that lie in the same shard share one",
    registers,
  });
  const hintFailures = new Counter({
    name: "livora_ingest_stop_hint_failures_total",
    help: "Requests whose stop hints could not be left in Redis",
    registers,
  });
  return {
    registry,
    accepted,
    seconds,
    countRetry: (code: string) => streamRetries.labels(code).inc(),
    countPut(records: number) {
      streamPuts.inc();
      streamRecords.inc(records);
    },
    hintFailures,
    accepted202: requests.labels("202"),
    countRefusal(status: number, reason: string) {
      requests.labels(String(status)).inc();
      refused.labels(reason).inc();
    },
    watchPending(pendingBytes: () => number) {
      const gauge = new Gauge({
        name: "livora_ingest_pending_bytes",
        help: "Bytes that wait for the stream",
        registers: [],
        collect() {
          this.set(pendingBytes());
        },
      });
      registry.registerMetric(gauge);
    },
  };
}

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;
