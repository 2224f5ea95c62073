import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";

import { chunksOf } from "../../core/chunks.ts";
import { AppError } from "../../core/errors.ts";
import type { ShardProgress } from "../../core/shard-load.ts";
import type { Context } from "../context.ts";

/** The most that a handler's state may take, as JSON: DynamoDB's limit of an item with room to spare. */
const MAX_STATE_BYTES = 300 * 1024;
const BATCH_GET_LIMIT = 100;

/** A range of whole Kinesis records. */
export interface SequenceRange {
  first: string;
  last: string;
}

/** One consumer's place in one shard, and who may move it. */
export interface Lease {
  shard: string;
  /** Grows each time the shard changes hands; every write names it, so a former owner's fail. */
  epoch: number;
  owner: string | null;
  expiresAtMs: number;
  checkpoint: string | null;
  /** The handler's state as JSON. */
  state: string | null;
  /** A range that was being handled (`exactRanges`). */
  pending: SequenceRange | null;
  ended: boolean;
  /** How far its reader is. The holder changes it in place, and every write of the lease takes it along: it costs nothing. */
  progress: ShardProgress | null;
}

/** The lease is someone else's now: whatever was to be written must not be. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export interface LeaseStore {
  read(shards: readonly string[]): Promise<Map<string, Lease>>;
  /** Null where another process was faster. `inherited` is the state a shard without a lease begins with. */
  acquire(shard: string, seen: Lease | undefined, inherited: string | null): Promise<Lease | null>;
  /** All of these renew the lease, and throw `LeaseLost`. */
  renew(lease: Lease): Promise<void>;
  savePending(lease: Lease, range: SequenceRange): Promise<void>;
  saveCheckpoint(lease: Lease, checkpoint: string, state: string): Promise<void>;
  /** The shard has been read to its end. */
  end(lease: Lease): Promise<void>;
  /** Anyone may take it at once. */
  release(lease: Lease): Promise<void>;
}

interface LeaseOptions {
  stream: string;
  consumer: string;
  owner: string;
  leaseMs: number;
}

/** Leases and checkpoints: one item for each stream, consumer and shard; every write is conditional on its epoch. */
export function createLeaseStore(
  ctx: Pick<Context, "config" | "dynamodb">,
  options: LeaseOptions,
  documents: Pick<DynamoDBDocumentClient, "send"> = DynamoDBDocumentClient.from(ctx.dynamodb),
): LeaseStore {
  const table = ctx.config.LIVORA_LEASE_TABLE;
  const keyOf = (shard: string) => ({ PK: `${options.stream}#${options.consumer}#${shard}` });

  async function read(shards: readonly string[]): Promise<Map<string, Lease>> {
    const found = new Map<string, Lease>();
    for (const some of chunksOf(shards, BATCH_GET_LIMIT)) {
      const Keys = some.map(keyOf);
      const answer = await documents.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
      );
      if (answer.UnprocessedKeys?.[table]) throw new AppError("unavailable", "The lease table is throttled");
      for (const item of answer.Responses?.[table] ?? []) found.set(item["shard"] as string, toLease(item));
    }
    return found;
  }

  async function update(
    shard: string,
    fields: Record<string, unknown>,
    condition: string,
    values: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    const names = Object.keys(fields);
    const command = new UpdateCommand({
      TableName: table,
      Key: keyOf(shard),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}`,
      ConditionExpression: condition,
      ExpressionAttributeNames: {
        ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ...(condition.includes("#owner") && { "#owner": "owner" }),
      },
      ExpressionAttributeValues: { ...Object.fromEntries(names.map((name) => [`:${name}`, fields[name]])), ...values },
      ReturnValues: "ALL_NEW",
    });
    return (await documents.send(command)).Attributes ?? {};
  }

  async function acquire(shard: string, seen: Lease | undefined, inherited: string | null): Promise<Lease | null> {
    const mine = {
      shard,
      owner: options.owner,
      epoch: (seen?.epoch ?? 0) + 1,
      expires_at: Date.now() + options.leaseMs,
    };
    const taken = seen
      ? update(shard, mine, "epoch = :seen AND expires_at = :expiry", {
          ":seen": seen.epoch,
          ":expiry": seen.expiresAtMs,
        })
      : update(shard, { ...mine, state: inherited }, "attribute_not_exists(PK)", {});
    return taken.then(toLease).catch((error: unknown) => {
      if (error instanceof ConditionalCheckFailedException) return null;
      throw error;
    });
  }

  async function write(lease: Lease, fields: Record<string, unknown>, expiresInMs = options.leaseMs): Promise<void> {
    const { progress } = lease;
    const renewed = { ...fields, ...(progress && { progress }), expires_at: Date.now() + expiresInMs };
    try {
      const holder = { ":held": lease.epoch, ":me": options.owner };
      await update(lease.shard, renewed, "epoch = :held AND #owner = :me", holder);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      throw new LeaseLost(`${options.consumer} no longer holds ${lease.shard}`);
    }
  }

  return {
    read,
    acquire,
    renew: (lease) => write(lease, {}),
    savePending: (lease, pending) => write(lease, { pending }),
    async saveCheckpoint(lease, checkpoint, state) {
      if (Buffer.byteLength(state) > MAX_STATE_BYTES) {
        throw new AppError("internal", `The state of ${options.consumer} is larger than ${MAX_STATE_BYTES} bytes`);
      }
      await write(lease, { checkpoint, state, pending: null });
    },
    end: (lease) => write(lease, { ended: true }),
    // An expiry in the past, rather than no owner, so that a late write of this process is still conditional on itself.
    release: (lease) => write(lease, {}, -1),
  };
}

function toLease(item: Record<string, unknown>): Lease {
  return {
    shard: item["shard"] as string,
    epoch: item["epoch"] as number,
    owner: (item["owner"] as string | undefined) ?? null,
    expiresAtMs: (item["expires_at"] as number | undefined) ?? 0,
    checkpoint: (item["checkpoint"] as string | undefined) ?? null,
    state: (item["state"] as string | undefined) ?? null,
    pending: (item["pending"] as SequenceRange | undefined) ?? null,
    ended: item["ended"] === true,
    progress: (item["progress"] as ShardProgress | undefined) ?? null,
  };
}
