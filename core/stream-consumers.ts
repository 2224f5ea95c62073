/** Who reads which stream: the names of their leases. A test sees to it that nobody is forgotten. */
export const STREAM_CONSUMERS = {
  events: ["enrich", "receipts"],
  enriched: ["automation", "counters", "lake"],
} as const;

export type StreamKind = keyof typeof STREAM_CONSUMERS;
export const STREAM_KINDS = Object.keys(STREAM_CONSUMERS) as StreamKind[];
