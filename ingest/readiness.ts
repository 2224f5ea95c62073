import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";

import type { Context } from "../platform/context.ts";
import type { Keyring } from "../platform/keyring.ts";

const KEPT_MS = 1_000;
const TIMEOUT_MS = 2_000;

export interface Readiness {
  stream: boolean;
  database: boolean;
}

/**
 * Whether requests can be served: the stream answers, and the database has answered once (known tokens live without it).
 * Asked for as often as anyone likes, finds out once a second.
 */
export function createReadiness(ctx: Pick<Context, "config" | "kinesis">, keyring: Keyring) {
  let asked: { atMs: number; answer: Promise<boolean> } | null = null;
  return async function readiness(): Promise<Readiness> {
    const nowMs = Date.now();
    if (asked === null || nowMs - asked.atMs > KEPT_MS) asked = { atMs: nowMs, answer: isStreamActive(ctx) };
    return { stream: await asked.answer, database: keyring.hasReachedDatabase };
  };
}

async function isStreamActive({ config, kinesis }: Pick<Context, "config" | "kinesis">): Promise<boolean> {
  const command = new DescribeStreamSummaryCommand({ StreamName: config.LIVORA_STREAM_EVENTS });
  try {
    const { StreamDescriptionSummary: stream } = await kinesis.send(command, {
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // While shards are split or merged it is UPDATING, and takes records all the same.
    return stream?.StreamStatus === "ACTIVE" || stream?.StreamStatus === "UPDATING";
  } catch {
    return false;
  }
}
