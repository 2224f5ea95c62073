import { gaxios, JWT } from "google-auth-library";

import { AppError } from "../../core/errors.ts";
import type { Config } from "../../platform/config.ts";
import { classifyFailure, classifyStatus, retryAfterOf } from "./classify.ts";
import type { OutgoingMessage, Provider, ProviderAnswer } from "./provider.ts";
import { readSandboxKeys } from "./sandbox/keys.ts";

export type FcmConfig = Pick<
  Config,
  "LIVORA_FCM_URL" | "LIVORA_FCM_PROJECT" | "LIVORA_FCM_CREDENTIALS" | "LIVORA_SANDBOX_DIR"
>;

const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const TOKEN_URL = "https://oauth2.googleapis.com/token";

export interface FcmOptions {
  timeoutMs: number;
}

export function createFcmProvider(config: FcmConfig, { timeoutMs }: FcmOptions): Provider {
  const base = config.LIVORA_FCM_URL || "https://fcm.googleapis.com";
  const url = `${base}/v1/projects/${config.LIVORA_FCM_PROJECT}/messages:send`;
  let account: JWT | undefined;

  async function getToken(): Promise<string> {
    account ??= await createAccount(config);
    const { token } = await account.getAccessToken();
    if (!token) throw new AppError("unavailable", "no access token");
    return token;
  }
  return {
    name: "fcm",
    // A notification with the tag of one that still shows takes its place.
    replacesRepeats: true,
    searchLagMs: 0,
    find: () => Promise.resolve(null),
    async send(message): Promise<ProviderAnswer> {
      const token = await getToken().catch((error: unknown) => ({ error }));
      // Nothing of the message has left as long as there is no token.
      if (typeof token !== "string") return { kind: "unreachable", reason: tokenReasonOf(token.error) };
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const body = JSON.stringify({ message: pushOf(message) });
        const response = await fetch(url, { method: "POST", headers, body, signal });
        return answerOf(response.status, await response.text(), response.headers.get("retry-after"));
      } catch (error) {
        return classifyFailure("fcm", error);
      }
    },
  };
}

/** The service account's own flow, only at another address where there is one: the library has Google's written in. */
async function createAccount(config: FcmConfig): Promise<JWT> {
  const { client_email, private_key } = await credentialsOf(config);
  const transporter = new gaxios.Gaxios();
  if (config.LIVORA_FCM_URL !== "") {
    transporter.interceptors.request.add({
      resolved: (request) => {
        if (String(request.url) === TOKEN_URL) request.url = new URL("/token", config.LIVORA_FCM_URL);
        return Promise.resolve(request);
      },
    });
  }
  return new JWT({ email: client_email, key: private_key, scopes: [SCOPE], transporter });
}

async function credentialsOf(config: FcmConfig): Promise<{ client_email: string; private_key: string }> {
  if (config.LIVORA_FCM_CREDENTIALS !== "") {
    return JSON.parse(config.LIVORA_FCM_CREDENTIALS) as { client_email: string; private_key: string };
  }
  const keys = await readSandboxKeys(config.LIVORA_SANDBOX_DIR);
  if (!keys) throw new AppError("unavailable", "The sandbox has not made its keys yet.");
  return keys.serviceAccount;
}

function tokenReasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return `fcm:token ${typeof code === "string" ? code : "refused"}`;
}

function pushOf({ delivery_id, to, subject, body, link }: OutgoingMessage) {
  const tag = delivery_id;
  return {
    token: to,
    notification: { ...(subject !== null && { title: subject }), body },
    data: { delivery_id, ...(link !== null && { link }) },
    android: { collapse_key: tag, notification: { tag } },
    apns: { headers: { "apns-collapse-id": tag } },
    webpush: { notification: { tag }, ...(link?.startsWith("https:") && { fcm_options: { link } }) },
  };
}

interface FcmBody {
  name?: string;
  error?: { status?: string; details?: { errorCode?: string }[] };
}

function answerOf(status: number, text: string, retryAfter: string | null): ProviderAnswer {
  const body = parse(text);
  if (status === 200) return { kind: "accepted", message_id: body.name ?? "" };
  const detail = body.error?.details?.find(({ errorCode }) => errorCode !== undefined);
  const code = detail?.errorCode ?? body.error?.status ?? String(status);
  return classifyStatus({ provider: "fcm", status, code, retryAfterMs: retryAfterOf(retryAfter) });
}

function parse(text: string): FcmBody {
  try {
    return JSON.parse(text) as FcmBody;
  } catch {
    return {};
  }
}
