import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { Context } from "../../platform/context.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { provisionStreams, provisionTables } from "./provision.ts";

let ctx: Context;
beforeAll(async () => {
  ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: 3 });
});
afterAll(() => ctx.close());

it("gives both streams their shards", async () => {
  for (const StreamName of [ctx.config.LIVORA_STREAM_EVENTS, ctx.config.LIVORA_STREAM_ENRICHED]) {
    const { StreamDescriptionSummary } = await ctx.kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    expect(StreamDescriptionSummary).toMatchObject({ StreamStatus: "ACTIVE", OpenShardCount: 3 });
  }
});

it("gives the user store its index", async () => {
  const { Table } = await ctx.dynamodb.send(new DescribeTableCommand({ TableName: ctx.config.LIVORA_USER_TABLE }));
  expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(["GSI1"]);
});

it("may be repeated", async () => {
  await expect(Promise.all([provisionStreams(ctx.config), provisionTables(ctx.config)])).resolves.toBeDefined();
});
