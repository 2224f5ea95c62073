import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import {
  CancelStatementCommand,
  DescribeStatementCommand,
  type DescribeStatementResponse,
  ExecuteStatementCommand,
  type Field,
  GetStatementResultCommand,
  RedshiftDataClient,
  type RedshiftDataClientConfig,
  type SqlParameter,
} from "@aws-sdk/client-redshift-data";

import { AppError } from "../../core/errors.ts";
import { namesOf } from "./named-parameters.ts";
import type { AskOptions, SqlRow, SqlValue, SqlWarehouse } from "./sql-warehouse.ts";

export interface RedshiftOptions {
  database: string;
  /** Serverless; else `clusterIdentifier`, with `dbUser` or `secretArn`. */
  workgroupName?: string;
  clusterIdentifier?: string;
  dbUser?: string;
  secretArn?: string;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 5 * 60_000;

/** Redshift through its Data API: no connections, no driver; a statement is handed in, looked after, and its answer fetched page by page. */
export function createRedshift(config: RedshiftDataClientConfig, target: RedshiftOptions): SqlWarehouse {
  const client = new RedshiftDataClient(config);

  return {
    dialect: "redshift",
    async ask(sql, options = {}) {
      const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
      signal?.throwIfAborted();
      const id = await execute(sql, options);
      const deadline = performance.now() + timeoutMs;
      try {
        const { HasResultSet } = await finish(id, deadline, options);
        return HasResultSet === true ? await readAll(id, options) : [];
      } catch (error) {
        if (signal?.aborted === true || (error as AppError).code === "unavailable") await cancel(id);
        signal?.throwIfAborted();
        throw error;
      }
    },
  };

  async function execute(sql: string, { parameters = {}, token = randomUUID(), signal }: AskOptions): Promise<string> {
    const names = namesOf(sql);
    const given = names.map((name): SqlParameter => {
      const value = parameters[name];
      if (value === undefined) throw new AppError("invalid", `the statement's parameter ${name} is not given`);
      return { name, value };
    });
    const input = {
      Database: target.database,
      ...(target.workgroupName !== undefined && { WorkgroupName: target.workgroupName }),
      ...(target.clusterIdentifier !== undefined && { ClusterIdentifier: target.clusterIdentifier }),
      ...(target.dbUser !== undefined && { DbUser: target.dbUser }),
      ...(target.secretArn !== undefined && { SecretArn: target.secretArn }),
      Sql: sql,
      // An empty list is refused.
      ...(given.length > 0 && { Parameters: given }),
      ClientToken: token,
    };
    const { Id } = await send(() =>
      client.send(new ExecuteStatementCommand(input), { ...(signal && { abortSignal: signal }) }),
    );
    return Id!;
  }

  /** Waits until it has ended; asks less and less often. */
  async function finish(id: string, deadline: number, { signal }: AskOptions): Promise<DescribeStatementResponse> {
    const abort = { ...(signal && { abortSignal: signal }) };
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const found = await send(() => client.send(new DescribeStatementCommand({ Id: id }), abort));
      if (found.Status === "FINISHED") return found;
      if (found.Status === "FAILED") throw new AppError("invalid", found.Error ?? "the statement has failed");
      if (found.Status === "ABORTED") throw new AppError("unavailable", found.Error ?? "the statement was cancelled");
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new AppError("unavailable", "no answer in time");
      await sleep(Math.min(pauseMs, leftMs), undefined, { ...(signal && { signal }) });
    }
  }

  async function readAll(id: string, { signal }: AskOptions): Promise<SqlRow[]> {
    const rows: SqlRow[] = [];
    let NextToken: string | undefined;
    do {
      const input = { Id: id, ...(NextToken !== undefined && { NextToken }) };
      const page = await send(() =>
        client.send(new GetStatementResultCommand(input), { ...(signal && { abortSignal: signal }) }),
      );
      const names = (page.ColumnMetadata ?? []).map(({ label, name }) => label ?? name ?? "");
      for (const record of page.Records ?? []) {
        rows.push(Object.fromEntries(record.map((field, nth) => [names[nth], readField(field)])) as SqlRow);
      }
      NextToken = page.NextToken === "" ? undefined : page.NextToken;
    } while (NextToken !== undefined);
    return rows;
  }

  /** Nobody waits for it any more: if it cannot be told so, it ends by itself. */
  async function cancel(id: string): Promise<void> {
    await client.send(new CancelStatementCommand({ Id: id })).catch(() => undefined);
  }
}

function readField({ isNull, stringValue, longValue, doubleValue, booleanValue }: Field): SqlValue {
  if (isNull === true) return null;
  return stringValue ?? longValue ?? doubleValue ?? booleanValue ?? null;
}

async function send<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === "AbortError") throw cause;
    if (name === "ValidationException") throw new AppError("invalid", message, { cause });
    throw new AppError("unavailable", `Redshift's Data API: ${message}`, { cause });
  }
}
