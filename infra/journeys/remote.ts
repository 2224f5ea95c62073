import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { AppError, type Fault } from "../../core/errors.ts";
import type { Endpoints } from "../local/endpoints.ts";
import { ROOT } from "../local/paths.ts";

export interface Remote {
  url: string;
  key: string;
}

export interface RemoteCampaign {
  state: string;
  current_version: number | null;
  draft: Record<string, unknown>;
}

/** What was given, else what the environment says, else the stack of this folder. Throws `invalid` where nothing does. */
export function findRemote(given: { url?: string | undefined; key?: string | undefined }): Remote {
  const { LIVORA_API_URL, LIVORA_API_KEY, LIVORA_DATA_DIR } = process.env;
  const stack = readStack(resolve(LIVORA_DATA_DIR || join(ROOT, ".livora")));
  const url = given.url ?? LIVORA_API_URL ?? stack?.api;
  const key = given.key ?? LIVORA_API_KEY ?? stack?.api_key;
  if (url && key) return { url, key };
  throw new AppError("invalid", "There is no running stack here (npm start): say --url and --key.");
}

function readStack(folder: string): Endpoints | undefined {
  const file = join(folder, "endpoints.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Endpoints) : undefined;
}

/** Null where there is none. */
export async function fetchCampaign(remote: Remote, id: string): Promise<RemoteCampaign | null> {
  return call<RemoteCampaign>(remote, "GET", `/api/v1/campaigns/${encodeURIComponent(id)}`);
}

export async function keepDraft(remote: Remote, source: object): Promise<void> {
  await call(remote, "POST", "/api/v1/campaigns", source);
}

export async function publishDraft(remote: Remote, id: string): Promise<{ version: number; unchanged: boolean }> {
  const path = `/api/v1/campaigns/${encodeURIComponent(id)}/publish`;
  return (await call<{ version: number; unchanged: boolean }>(remote, "POST", path))!;
}

/** Null for 404. Throws with what the API said of anything else that is no success. */
async function call<T>({ url, key }: Remote, method: string, path: string, body?: object): Promise<T | null> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(new URL(path, url), init).catch((cause: unknown) => {
    throw new AppError("unavailable", `${url} does not answer.`, { cause });
  });
  if (response.status === 404 && method === "GET") return null;
  const answer = (await response.json().catch(() => ({}))) as { detail?: string; errors?: Fault[] };
  if (response.ok) return answer as T;
  const reason = answer.detail ?? "no reason was given";
  throw new AppError("invalid", `${method} ${path}: ${response.status}, ${reason}`, { faults: answer.errors ?? [] });
}
