import { AppError } from "../core/errors.ts";
import type { StreamKind } from "../core/stream-consumers.ts";
import type { Context } from "../platform/context.ts";
import { createLeaseStore, type Lease } from "../platform/stream/lease-store.ts";
import { streamOf } from "../platform/stream/stream-name.ts";

interface Reader {
  stream: StreamKind;
  consumer: string;
}

/** How far a consumer is in these shards, by its leases. Rejects with `unavailable` where their table is away. */
export function createProgressReader(ctx: Pick<Context, "config" | "dynamodb">) {
  return ({ stream, consumer }: Reader, shards: readonly string[]): Promise<Map<string, Lease>> => {
    const leases = createLeaseStore(ctx, {
      stream: streamOf(ctx.config, stream),
      consumer,
      owner: "progress",
      leaseMs: 0,
    });
    return leases.read(shards).catch((cause: unknown) => {
      throw new AppError("unavailable", "the lease table does not answer", { cause });
    });
  };
}
