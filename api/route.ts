import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import type { z } from "zod";

import type { ApiScope } from "../core/api-key.ts";
import type { ReportTable } from "../core/report-table.ts";
import type { CrmContext } from "../crm/context.ts";
import type { CachePolicy } from "../platform/cache.ts";
import type { ApiContext } from "./context.ts";
import type { Limiter } from "./limit.ts";
import type { Reports } from "./reports.ts";
import type { WebhookContext } from "../delivery/index.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

export interface Answer {
  status: number;
  /** JSON; nothing where left out. */
  body?: unknown;
  /** Instead of `body`: JSON that is text already. */
  json?: string;
  /** Instead of JSON. */
  html?: string;
  /** Instead of JSON: bytes as they come. */
  stream?: { type: string; bytes: Readable };
  headers?: Record<string, string>;
}

/** What a route is handed: `input` is the query and the path's parameters, `body` the JSON that was sent. */
export interface Call<I extends z.ZodObject, B extends z.ZodType> {
  ctx: CrmContext;
  api: ApiContext;
  reports: Reports;
  input: z.output<I>;
  body: z.output<B>;
  /** The JSON as it was sent, before the schema filled anything in. */
  sent: unknown;
  /** For a route that `consumes` something itself. */
  request: IncomingMessage;
}

/** What a webhook is handed: nothing is known of the caller until the handler has checked the signature. */
export interface RawCall {
  webhooks: WebhookContext;
  /** As the provider was told: scheme, host, path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  raw: Buffer;
}

/** What a route without a key is handed. */
export interface OpenCall {
  api: ApiContext;
  reports: Reports;
  limiter: Limiter;
  /** The whole query, also what the route does not know, and the path's parameters. */
  input: Record<string, unknown>;
  request: IncomingMessage;
  request_id: string;
}

interface Described {
  method: Method;
  /** OpenAPI's way: `/api/v1/campaigns/{id}`. */
  path: string;
  operationId: string;
  tag: string;
  summary: string;
  /** JSON, where no `type` says otherwise. */
  responses: Record<number, { description: string; schema?: z.ZodType; type?: string | readonly string[] }>;
  /** Statuses of problems apart from those that every route of its kind may answer. */
  problems?: number[];
}

export interface JsonRoute<I extends z.ZodObject = z.ZodObject, B extends z.ZodType = z.ZodType> extends Described {
  kind: "json";
  /** What the key must be allowed to do; the verb insists on it. */
  scope: ApiScope;
  input?: I;
  body?: B;
  /** What it reads from the request itself, by media type: its schemas are for the description only. */
  consumes?: Record<string, z.ZodType>;
  /** How long an answer is kept; what is read of `/analytics` is, unless this is false. See `answer-cached.ts`. */
  cache?: CachePolicy | false;
  /** Reports show what it changes: none that was kept counts from then on. */
  changesReports?: true;
  /** As which table a report of `/analytics` can be exported, where its schema alone does not tell; false: not at all. */
  table?: ReportTable | false;
  /** What is logged of each read, also of one that is answered from the cache: action and subject, see `logAccess`. */
  access?: readonly [action: string, subject: string];
  handle(call: Call<I, B>): Promise<Answer>;
}

export interface RawRoute extends Described {
  kind: "raw";
  provider: string;
  /** Media types that are taken. */
  consumes: string[];
  handle(call: RawCall): Promise<Answer>;
}

/** Nobody needs a key for it: what it is handed says what it may show. */
export interface OpenRoute extends Described {
  kind: "open";
  input: z.ZodObject;
  handle(call: OpenCall): Promise<Answer>;
}

export type Route = JsonRoute | RawRoute | OpenRoute;

/** Keeps the types of input and body for the handler, and forgets them for the table. */
export function defineRoute<I extends z.ZodObject = z.ZodObject, B extends z.ZodType = z.ZodType>(
  route: Omit<JsonRoute<I, B>, "kind">,
): Route {
  return { kind: "json", ...route } as unknown as Route;
}

export function defineWebhook(route: Omit<RawRoute, "kind">): Route {
  return { kind: "raw", ...route };
}

export function defineOpen(route: Omit<OpenRoute, "kind">): Route {
  return { kind: "open", ...route };
}

/** The names between braces. */
export function pathParametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
}
