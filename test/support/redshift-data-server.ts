import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import postgres from "postgres";

import { namesOf, rewriteParameters } from "../../platform/warehouse/named-parameters.ts";

/** Speaks the wire protocol of Redshift's Data API (JSON 1.1) and has PostgreSQL do the work: Redshift's SQL descends from its 8th edition. */
export interface RedshiftDataServer {
  endpoint: string;
  /** Requests so far, by operation. */
  calls: Readonly<Record<string, number>>;
  /** The next so many requests are answered as an overloaded service does. */
  failNext(count: number): void;
  /** Statements that were really run. */
  readonly statements: number;
  stop(): Promise<void>;
}

interface Statement {
  status: "STARTED" | "FINISHED" | "FAILED" | "ABORTED";
  error?: string;
  columns: { name: string; type: number }[];
  rows: unknown[][];
  cancel(): void;
}

type Input = Record<string, unknown>;
const INTEGERS = new Set([20, 21, 23]);
const FLOATS = new Set([700, 701]);
const BOOLEAN = 16;
const ROWS_PER_PAGE = 10;

class Refusal extends Error {}

export async function startRedshiftDataServer(postgresUrl: string, schema: string): Promise<RedshiftDataServer> {
  const raw = { to: 25, from: [20, 1082, 1114, 1184, 1700], serialize: String, parse: (text: string) => text };
  const sql = postgres(postgresUrl, { max: 2, types: { raw }, connection: { search_path: schema, TimeZone: "UTC" } });
  const statements = new Map<string, Statement>();
  const tokens = new Map<string, string>();
  const calls: Record<string, number> = {};
  let failing = 0;

  const operations: Record<string, (input: Input) => Input> = {
    ExecuteStatement(input) {
      if (input["Database"] !== "livora" || input["WorkgroupName"] === undefined) throw new Refusal("which database?");
      const token = String(input["ClientToken"]);
      const known = tokens.get(token);
      const id = known ?? randomUUID();
      tokens.set(token, id);
      if (known === undefined) statements.set(id, start(String(input["Sql"]), input["Parameters"]));
      return { Id: id, Database: "livora", CreatedAt: Date.now() / 1000 };
    },
    DescribeStatement(input) {
      const { status, error, columns } = find(input);
      return {
        Id: input["Id"],
        Status: status,
        HasResultSet: columns.length > 0,
        ...(error !== undefined && { Error: error }),
      };
    },
    GetStatementResult(input) {
      const { status, columns, rows } = find(input);
      if (status !== "FINISHED") throw new Refusal("the statement has no result yet");
      const from = Number(input["NextToken"] ?? 0);
      const next = from + ROWS_PER_PAGE;
      const records = rows.slice(from, next).map((row) => row.map((value, nth) => toField(value, columns[nth]!.type)));
      const metadata = columns.map(({ name }) => ({ name, label: name }));
      return { Records: records, ColumnMetadata: metadata, ...(next < rows.length && { NextToken: String(next) }) };
    },
    CancelStatement(input) {
      find(input).cancel();
      return { Status: true };
    },
  };

  function find(input: Input): Statement {
    const found = statements.get(String(input["Id"]));
    if (!found) throw new Refusal(`no statement ${String(input["Id"])}`);
    return found;
  }

  function start(text: string, parameters: unknown): Statement {
    if (Array.isArray(parameters) && parameters.length === 0) throw new Refusal("parameters: at least 1");
    const given = new Map(
      ((parameters ?? []) as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
    );
    const names = namesOf(text);
    if (names.length !== given.size || names.some((name) => !given.has(name)))
      throw new Refusal("parameters do not match");
    const numbered = rewriteParameters(text, (name) => `CAST($${names.indexOf(name) + 1} AS varchar)`);
    const running = sql
      .unsafe(
        numbered,
        names.map((name) => given.get(name)!),
      )
      .values();
    const statement: Statement = {
      status: "STARTED",
      columns: [],
      rows: [],
      cancel: () => void (statement.status === "STARTED" && running.cancel()),
    };
    void follow(statement, running);
    return statement;
  }

  const server = createServer(async (request, response) => {
    const answer = (status: number, body: Input) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    };
    const name = String(request.headers["x-amz-target"]).replace("RedshiftData.", "");
    calls[name] = (calls[name] ?? 0) + 1;
    try {
      const input = await readJson(request);
      if (failing > 0) {
        failing--;
        answer(500, { __type: "InternalServerException", Message: "try again" });
      } else answer(200, operations[name]!(input));
    } catch (error) {
      answer(400, { __type: "ValidationException", Message: (error as Error).message });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    failNext: (count) => void (failing = count),
    get statements() {
      return statements.size;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await sql.end({ timeout: 1 });
    },
  };
}

async function follow(statement: Statement, running: PromiseLike<unknown[][] & { columns?: Statement["columns"] }>) {
  try {
    const result = await running;
    statement.columns = (result.columns ?? []).map(({ name, type }) => ({ name, type }));
    statement.rows = [...result];
    statement.status = "FINISHED";
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    statement.status = code === "57014" ? "ABORTED" : "FAILED";
    statement.error = `ERROR: ${message}`;
  }
}

async function readJson(request: IncomingMessage): Promise<Input> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as Input;
}

function toField(value: unknown, type: number): Input {
  if (value === null) return { isNull: true };
  if (INTEGERS.has(type)) return { longValue: Number(value) };
  if (FLOATS.has(type)) return { doubleValue: value };
  return type === BOOLEAN ? { booleanValue: value } : { stringValue: String(value) };
}
