import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What one consumer tells about one shard. */
export interface ShardMetrics {
  /** How far the stream's tip is ahead of what has been read. */
  msBehind(ms: number): void;
  /** How long the last handled record had waited in the stream. */
  recordAge(ms: number): void;
  batch(seconds: number, entries: number): void;
  failure(): void;
  /** The shard is left: what it showed last must not stand there for ever. */
  leave(): void;
}

const SILENT: ShardMetrics = { msBehind() {}, recordAge() {}, batch() {}, failure() {}, leave() {} };
const LABELS = ["consumer", "shard"] as const;

export function createShardMetrics(registry: Registry | undefined, consumer: string, shard: string): ShardMetrics {
  if (!registry) return SILENT;
  const labels = { consumer, shard };
  const metrics = metricsOf(registry);
  return {
    msBehind: (ms) => metrics.msBehind.set(labels, ms),
    recordAge: (ms) => metrics.recordAge.set(labels, ms),
    batch(seconds, entries) {
      metrics.batches.inc(labels);
      metrics.entries.inc(labels, entries);
      metrics.seconds.observe({ consumer }, seconds);
    },
    failure: () => metrics.failures.inc(labels),
    leave() {
      metrics.msBehind.remove(labels);
      metrics.recordAge.remove(labels);
    },
  };
}

/** Consumers of one process share a registry: what is registered already is taken from it. */
function metricsOf(registry: Registry) {
  const counter = (name: string, help: string) =>
    (registry.getSingleMetric(name) as Counter<(typeof LABELS)[number]> | undefined) ??
    new Counter({ name, help, labelNames: LABELS, registers: [registry] });
  const gauge = (name: string, help: string) =>
    (registry.getSingleMetric(name) as Gauge<(typeof LABELS)[number]> | undefined) ??
    new Gauge({ name, help, labelNames: LABELS, registers: [registry] });
  const secondsName = "livora_consumer_batch_seconds";
  return {
    msBehind: gauge("livora_consumer_ms_behind", "How far the tip of the stream is ahead, milliseconds"),
    recordAge: gauge("livora_consumer_record_age_ms", "Age of the last record when it had been handled, milliseconds"),
    batches: counter("livora_consumer_batches_total", "Batches handled"),
    entries: counter("livora_consumer_entries_total", "Entries handled"),
    failures: counter("livora_consumer_failures_total", "Batches that failed and are tried again"),
    seconds:
      (registry.getSingleMetric(secondsName) as Histogram<"consumer"> | undefined) ??
      new Histogram({
        name: secondsName,
        help: "Time to handle a batch",
        labelNames: ["consumer"],
        registers: [registry],
      }),
  };
}
