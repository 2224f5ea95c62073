import { createHmac } from "node:crypto";

import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  BatchWriteItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";

import { chunksOf } from "../core/chunks.ts";
import { AppError } from "../core/errors.ts";
import type { Fences } from "../core/fence.ts";
import { createAwsCall, errorNameOf } from "./aws-json.ts";
import type { Context } from "./context.ts";
import { inParallel } from "./in-parallel.ts";

/** Where an item lies: `owner` is a person's key (`user:…`, `anon:…`, `session:…`), or names a thing that is nobody's. */
export interface ItemKey {
  client: string;
  /** `USER` for what belongs to a person; `SEEN` and `COUNTER` for the pipeline's own. */
  kind: "USER" | "SEEN" | "COUNTER";
  owner: string;
  /** `SESSION#<id>`, `CART#<id>`, `ATTR#<name>`, `FEATURE#<name>`. */
  sort: string;
}

/** An item with what guards it. Values are never changed in place: a new one takes the old one's place. */
export interface StoredItem {
  data: unknown;
  /** Grows with each write; 0 has never been written. */
  version: number;
  fences: Fences;
  /** When DynamoDB may remove it, epoch seconds. */
  expiresAt: number | null;
  /** The entry in the index GSI1, where the item has one. */
  index: { hash: string; sort: string } | null;
}

export const ABSENT: StoredItem = { data: undefined, version: 0, fences: {}, expiresAt: null, index: null };

/** The single table of sessions, carts, attributes, features, counters and what has been seen. */
export interface UserStore {
  /** Strongly consistent. What does not exist, or has expired, has `data: undefined`. In the order of the keys. */
  read(keys: readonly ItemKey[]): Promise<StoredItem[]>;
  /** All of a person's (or thing's) items whose sort key begins so. */
  list(partition: Omit<ItemKey, "sort">, sortPrefix: string): Promise<{ sort: string; item: StoredItem }[]>;
  /** Writes `item` as the version after its own; false where another has been written since it was read. */
  replace(key: ItemKey, item: StoredItem): Promise<boolean>;
  /** Writes what can only ever have this content under this key: no condition, many at once. */
  append(items: readonly { key: ItemKey; data: Uint8Array | string; expiresAt: number }[]): Promise<void>;
  /** Who is known by this e-mail address or phone number (GSI1, eventually consistent). */
  findOwners(client: string, contact: Contact): Promise<string[]>;
  /** The keyed hash under which an address is looked up: no address in clear lies in this table. */
  hashContact(contact: Contact): string;
}

export interface Contact {
  kind: "email" | "phone";
  value: string;
}

const READ_LIMIT = 100;
const WRITE_LIMIT = 25;
const PARALLEL_READS = 8;
const PARALLEL_APPENDS = 4;
const TRIES = 6;
const PUT_TIMEOUT_MS = 10_000;
const THROTTLED = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TransactionConflictException",
]);

type Item = Record<string, AttributeValue>;

export function createUserStore(ctx: Pick<Context, "config" | "dynamodb">, now: () => number = Date.now): UserStore {
  const { dynamodb } = ctx;
  const table = ctx.config.LIVORA_USER_TABLE;

  async function read(keys: readonly ItemKey[]): Promise<StoredItem[]> {
    const found = new Map<string, StoredItem>();
    // DynamoDB refuses a batch that names a key twice; two who ask about one person do.
    const distinct = [...new Map(keys.map((key) => [itemName(key), key])).values()];
    await inParallel(chunksOf(distinct, READ_LIMIT), PARALLEL_READS, async (chunk) => {
      let Keys: Item[] | undefined = chunk.map(toKey);
      for (let attempt = 0; Keys; attempt++) {
        await backOff(attempt);
        const answer: BatchGetItemCommandOutput = await dynamodb.send(
          new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
        );
        for (const item of answer.Responses?.[table] ?? []) found.set(nameOf(item), fromItem(item, now()));
        Keys = answer.UnprocessedKeys?.[table]?.Keys;
      }
    });
    return keys.map((key) => found.get(itemName(key)) ?? ABSENT);
  }

  async function list(partition: Omit<ItemKey, "sort">, sortPrefix: string) {
    const listed: { sort: string; item: StoredItem }[] = [];
    let from: Item | undefined;
    do {
      const answer = await dynamodb.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: sortPrefix === "" ? "PK = :pk" : "PK = :pk AND begins_with(SK, :sk)",
          ExpressionAttributeValues: {
            ":pk": { S: partitionOf(partition) },
            ...(sortPrefix !== "" && { ":sk": { S: sortPrefix } }),
          },
          ExclusiveStartKey: from,
        }),
      );
      for (const item of answer.Items ?? []) listed.push({ sort: item["SK"]?.S ?? "", item: fromItem(item, now()) });
      from = answer.LastEvaluatedKey;
    } while (from);
    return listed.filter(({ item }) => item.data !== undefined);
  }

  const putItem = createAwsCall(dynamodb, {
    service: "dynamodb",
    target: "DynamoDB_20120810.PutItem",
    contentType: "application/x-amz-json-1.0",
    timeoutMs: PUT_TIMEOUT_MS,
  });

  /** Where an answer is lost the item may be written: trying again then finds another version, as anyone's would. */
  async function replace(key: ItemKey, item: StoredItem): Promise<boolean> {
    const isNew = item.version === 0;
    const body = JSON.stringify({
      TableName: table,
      Item: toItem(key, item),
      ConditionExpression: isNew ? "attribute_not_exists(PK)" : "version = :read",
      ...(!isNew && { ExpressionAttributeValues: { ":read": { N: String(item.version) } } }),
    });
    for (let attempt = 0; ; attempt++) {
      await backOff(attempt);
      const { status, text } = await putItem(Buffer.from(body)).catch((error: Error) => ({
        status: 0,
        text: error.name,
      }));
      if (status === 200) return true;
      const name = errorNameOf(text) ?? `Status${status}`;
      if (name === "ConditionalCheckFailedException") return false;
      if (status >= 400 && status < 500 && !THROTTLED.has(name)) throw new AppError("internal", `PutItem: ${name}`);
    }
  }

  async function append(items: Parameters<UserStore["append"]>[0]): Promise<void> {
    await inParallel(chunksOf(items, WRITE_LIMIT), PARALLEL_APPENDS, async (chunk) => {
      const puts = chunk.map(({ key, data, expiresAt }) => ({
        PutRequest: {
          Item: {
            ...toKey(key),
            data: typeof data === "string" ? { S: data } : { B: data },
            expires_at: { N: String(expiresAt) },
          },
        },
      }));
      let rest: Record<string, typeof puts> | undefined = { [table]: puts };
      for (let attempt = 0; rest?.[table]?.length; attempt++) {
        await backOff(attempt);
        const answer = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: rest }));
        rest = answer.UnprocessedItems as typeof rest;
      }
    });
  }

  function hashContact({ kind, value }: Contact): string {
    const normal = kind === "email" ? value.trim().toLowerCase() : value.replace(/[^\d+]/g, "");
    return createHmac("sha256", ctx.config.LIVORA_HASH_KEY).update(`${kind}:${normal}`).digest("base64url");
  }

  async function findOwners(client: string, contact: Contact): Promise<string[]> {
    const answer = await dynamodb.send(
      new QueryCommand({
        TableName: table,
        IndexName: "GSI1",
        KeyConditionExpression: "GSI1PK = :pk",
        ExpressionAttributeValues: { ":pk": { S: indexPartition(client, hashContact(contact)) } },
      }),
    );
    return (answer.Items ?? []).map((item) => item["GSI1SK"]?.S ?? "");
  }

  return { read, list, replace, append, findOwners, hashContact };
}

/** Names an item within this process; unambiguous, because `#` in an id is escaped. */
export function itemName(key: ItemKey): string {
  return `${partitionOf(key)}\n${key.sort}`;
}

function nameOf(item: Item): string {
  return `${item["PK"]?.S}\n${item["SK"]?.S}`;
}

/** The tenant comes first in every key, and no id can pretend to be another part of it. */
function partitionOf({ client, kind, owner }: Omit<ItemKey, "sort">): string {
  return `CLIENT#${escape(client)}#${kind}#${escape(owner)}`;
}

function indexPartition(client: string, hash: string): string {
  return `CLIENT#${escape(client)}#CONTACT#${hash}`;
}

function escape(id: string): string {
  return id.replace(/[%#\n]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function toKey(key: ItemKey): Item {
  return { PK: { S: partitionOf(key) }, SK: { S: key.sort } };
}

/** The content as one JSON string: a third cheaper to write and read than a tree of typed attributes. */
function toItem(key: ItemKey, item: StoredItem): Item {
  return {
    ...toKey(key),
    version: { N: String(item.version + 1) },
    data: { S: JSON.stringify(item.data) },
    fences: { S: JSON.stringify(item.fences) },
    ...(item.expiresAt !== null && { expires_at: { N: String(item.expiresAt) } }),
    ...(item.index && {
      GSI1PK: { S: indexPartition(key.client, item.index.hash) },
      GSI1SK: { S: item.index.sort },
    }),
  };
}

/** An expired item that DynamoDB has not removed yet keeps its version, so that it can be replaced. */
function fromItem(item: Item, nowMs: number): StoredItem {
  const expiresAt = item["expires_at"]?.N === undefined ? null : Number(item["expires_at"].N);
  const isExpired = expiresAt !== null && expiresAt * 1000 <= nowMs;
  const text = item["data"]?.S;
  const content = text === undefined ? item["data"]?.B : (JSON.parse(text) as unknown);
  return {
    data: isExpired ? undefined : content,
    version: Number(item["version"]?.N ?? 0),
    fences: JSON.parse(item["fences"]?.S ?? "{}") as Fences,
    expiresAt,
    index: item["GSI1PK"] ? { hash: hashOf(item["GSI1PK"].S), sort: item["GSI1SK"]?.S ?? "" } : null,
  };
}

function hashOf(indexPartition = ""): string {
  return indexPartition.slice(indexPartition.lastIndexOf("#") + 1);
}

async function backOff(attempt: number): Promise<void> {
  if (attempt >= TRIES) throw new AppError("unavailable", "The user store does not answer, or takes no more");
  if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 2 ** attempt * 20));
}
