import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetRecordsCommand, GetShardIteratorCommand, PutRecordCommand } from "@aws-sdk/client-kinesis";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { Redis } from "ioredis";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readConfig } from "../../platform/config.ts";
import { type Context, createContext } from "../../platform/context.ts";
import { BACKING_PARTS, type BackingPart, type BackingPorts, backingEnvironment, startBackingPart } from "./backing.ts";
import { postgresAdminUrl } from "./parts/postgres.ts";
import { findFreePorts, waitUntil } from "./ports.ts";
import { provision } from "./provision.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

// Parts of our own: the stack that the other tests share must not be killed.
const parts = BACKING_PARTS.filter((name) => name !== "temporal");
const folder = makeTemporaryFolder();
let ports: BackingPorts;
let supervisor: Supervisor;
let ctx: Context;

beforeAll(async () => {
  const [pg = 0, redis = 0, kinesis = 0, dynamodb = 0] = await findFreePorts(4);
  ports = { postgres: pg, redis, kinesis, dynamodb, temporal: 0, temporalWeb: null };
  supervisor = createSupervisor(() => {});
  const start = (name: BackingPart) =>
    supervisor.supervise(name, () => startBackingPart(name, folder, ports, () => {}));
  await Promise.all(parts.map(start));
  const config = readConfig({ ...backingEnvironment(ports), LIVORA_LOG_LEVEL: "silent" });
  await provision(config, postgresAdminUrl(ports.postgres));
  ctx = createContext("test", config);
});

afterAll(async () => {
  await ctx.close();
  await supervisor.stop(parts);
  rmSync(folder, { recursive: true, force: true });
});

async function killAndAwait(name: BackingPart): Promise<void> {
  const before = supervisor.pidOf(name);
  supervisor.signal(name, "SIGKILL");
  await waitUntil(name, async () => supervisor.pidOf(name) !== undefined && supervisor.pidOf(name) !== before, 60_000);
}

describe("a part that is killed comes back with its data", () => {
  it("PostgreSQL", async () => {
    const sql = postgres(ctx.config.LIVORA_POSTGRES_URL, { max: 1, onnotice: () => {} });
    await sql`create table kept (id int)`;
    await sql`insert into kept values (7)`;
    await killAndAwait("postgres");
    await waitUntil("the row", async () => (await sql`select id from kept`)[0]?.id === 7, 60_000);
    expect(await sql`select id from kept`).toHaveLength(1);
    await sql.end();
  });

  it("Redis", async () => {
    await ctx.redis.set("kept", "7");
    await killAndAwait("redis");
    await waitUntil("the key", async () => (await ctx.redis.get("kept")) === "7", 60_000);
    expect(await ctx.redis.dbsize()).toBe(1);
  });

  it("Kinesis", async () => {
    const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
    const put = new PutRecordCommand({ StreamName, PartitionKey: "a", Data: Buffer.from("kept") });
    const { ShardId } = await ctx.kinesis.send(put);
    await killAndAwait("kinesis");
    const read = async () => {
      const from = new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" });
      const { ShardIterator } = await ctx.kinesis.send(from);
      const { Records = [] } = await ctx.kinesis.send(new GetRecordsCommand({ ShardIterator }));
      return Records.map(({ Data }) => Buffer.from(Data ?? []).toString());
    };
    await waitUntil("the stream", async () => (await read()).length > 0, 60_000);
    expect(await read()).toEqual(["kept"]);
  });

  it("DynamoDB", async () => {
    const TableName = ctx.config.LIVORA_LEASE_TABLE;
    await ctx.dynamodb.send(new PutItemCommand({ TableName, Item: { PK: { S: "kept" } } }));
    await killAndAwait("dynamodb");
    const get = () => ctx.dynamodb.send(new GetItemCommand({ TableName, Key: { PK: { S: "kept" } } }));
    await waitUntil("the item", async () => (await get()).Item !== undefined, 60_000);
    expect((await get()).Item).toEqual({ PK: { S: "kept" } });
  });

  it("as does one that hangs, once it has been silent for long", async () => {
    const said: string[] = [];
    const patient = createSupervisor((text) => said.push(text), { checks: 3, answerWithinMs: 1_000, pauseMs: 100 });
    const [port = 0] = await findFreePorts(1);
    const start = () => startBackingPart("redis", join(folder, "hanging"), { ...ports, redis: port }, () => {});
    const { pid, url } = await patient.supervise("redis", start);
    const redis = new Redis(url);
    await redis.set("kept", "7");
    patient.signal("redis", "SIGSTOP");
    await waitUntil("another process", async () => ![undefined, pid].includes(patient.pidOf("redis")), 60_000);
    await waitUntil("the key", async () => (await redis.get("kept")) === "7", 60_000);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(said[0]).toBe("redis has not answered for 3 s: ending it");
    redis.disconnect();
    await patient.stop(["redis"]);
  });

  it("and does not come back once it was stopped", async () => {
    await supervisor.stop(["redis"]);
    expect(supervisor.pidOf("redis")).toBeUndefined();
    expect(supervisor.restartsOf("redis")).toBe(1);
  });
});
