import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ResourceInUseException,
  DescribeTableCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateStreamCommand,
  KinesisClient,
  ResourceInUseException as StreamInUseException,
  DescribeStreamSummaryCommand,
} from "@aws-sdk/client-kinesis";
import postgres from "postgres";

import { awsOptions } from "../../platform/aws-options.ts";
import type { Config } from "../../platform/config.ts";
import { waitUntil } from "./ports.ts";

/** Creates what is missing in a fresh stack: database and roles, streams, tables. May be repeated at will. */
export async function provision(config: Config, postgresAdminUrl: string): Promise<void> {
  await Promise.all([provisionPostgres(config, postgresAdminUrl), provisionStreams(config), provisionTables(config)]);
}

/** The owner, who migrates and serves all clients, and the role that row-level security binds. */
async function provisionPostgres(config: Config, adminUrl: string): Promise<void> {
  const owner = new URL(config.LIVORA_POSTGRES_URL);
  const tenant = new URL(config.LIVORA_POSTGRES_TENANT_URL);
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    for (const { username, password } of [owner, tenant]) {
      const [role] = await sql`select 1 from pg_roles where rolname = ${username}`;
      if (!role) await sql.unsafe(`create role "${username}" login password '${password}'`);
    }
    const name = owner.pathname.slice(1);
    const [database] = await sql`select 1 from pg_database where datname = ${name}`;
    if (!database) await sql.unsafe(`create database "${name}" owner "${owner.username}"`);
  } finally {
    await sql.end();
  }
}

export async function provisionStreams(config: Config): Promise<void> {
  const kinesis = new KinesisClient(awsOptions(config, config.LIVORA_KINESIS_URL));
  try {
    for (const name of [config.LIVORA_STREAM_EVENTS, config.LIVORA_STREAM_ENRICHED]) {
      await ignoring(StreamInUseException, () =>
        kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: config.LIVORA_STREAM_SHARDS })),
      );
      await waitUntil(`stream ${name}`, () => isStreamActive(kinesis, name), 30_000);
    }
  } finally {
    kinesis.destroy();
  }
}

export async function provisionTables(config: Config): Promise<void> {
  const dynamodb = new DynamoDBClient(awsOptions(config, config.LIVORA_DYNAMODB_URL));
  try {
    for (const table of [userTable(config.LIVORA_USER_TABLE), leaseTable(config.LIVORA_LEASE_TABLE)]) {
      await ignoring(ResourceInUseException, () => dynamodb.send(new CreateTableCommand(table)));
      await waitUntil(`table ${table.TableName}`, () => isTableActive(dynamodb, table.TableName), 30_000);
    }
  } finally {
    dynamodb.destroy();
  }
}

async function isStreamActive(kinesis: KinesisClient, name: string): Promise<boolean> {
  const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: name }));
  return StreamDescriptionSummary?.StreamStatus === "ACTIVE";
}

async function isTableActive(dynamodb: DynamoDBClient, name: string | undefined): Promise<boolean> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
  return Table?.TableStatus === "ACTIVE";
}

function userTable(name: string): CreateTableCommandInput {
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: ["PK", "SK", "GSI1PK", "GSI1SK"].map((key) => ({ AttributeName: key, AttributeType: "S" })),
    KeySchema: keys("PK", "SK"),
    GlobalSecondaryIndexes: [
      { IndexName: "GSI1", KeySchema: keys("GSI1PK", "GSI1SK"), Projection: { ProjectionType: "ALL" } },
    ],
  };
}

function leaseTable(name: string): CreateTableCommandInput {
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "PK", AttributeType: "S" }],
    KeySchema: keys("PK"),
  };
}

function keys(hash: string, range?: string): NonNullable<CreateTableCommandInput["KeySchema"]> {
  return [
    { AttributeName: hash, KeyType: "HASH" },
    ...(range ? [{ AttributeName: range, KeyType: "RANGE" as const }] : []),
  ];
}

/** What exists already is what was wanted. */
async function ignoring(kind: new (...args: never[]) => Error, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
  }
}
