import { createHmac, createVerify, randomBytes } from "node:crypto";

import { fieldOf, parseJson, type SandboxReply, type SandboxRequest, textOf } from "./http.ts";
import type { SandboxKeys } from "./keys.ts";
import type { SandboxMessage, SandboxStore } from "./store.ts";
import { isSameSecret } from "./twilio.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE = /https:\/\/www\.googleapis\.com\/auth\/(firebase\.messaging|cloud-platform)/;
const TOKEN_SECONDS = 3600;
/** Devices that have thrown the app away. */
const UNREGISTERED = /^unregistered/i;
const DEVICE_TOKEN = /^[\w:.-]{1,4096}$/;

export function fcmError(code: number, status: string, message: string, errorCode?: string): SandboxReply {
  const type = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
  const details = errorCode === undefined ? undefined : [{ "@type": type, errorCode }];
  return { status: code, body: { error: { code, message, status, details } } };
}

/** Google's token endpoint for service accounts, and FCM's HTTP v1 send. */
export function createFcmApi(store: SandboxStore, keys: SandboxKeys) {
  const project = keys.serviceAccount.project_id;

  function grantToken(request: SandboxRequest): SandboxReply {
    const form = request.form();
    if (form.get("grant_type") !== GRANT) return refused("unsupported grant type");
    const claims = claimsOf(form.get("assertion") ?? "", keys);
    if (!claims) return refused("Invalid JWT Signature.");
    const now = Date.now() / 1000;
    if (claims.iss !== keys.serviceAccount.client_email) return refused("Invalid grant: account not found");
    if (!(claims.exp > now) || !(claims.iat < now + 300)) return refused("Invalid JWT: token must be short-lived");
    if (!SCOPE.test(claims.scope)) return refused("Invalid scope");
    const access_token = signToken(Math.floor(now) + TOKEN_SECONDS, keys.tokenSecret);
    return { status: 200, body: { access_token, expires_in: TOKEN_SECONDS - 1, token_type: "Bearer" } };
  }
  async function send(request: SandboxRequest): Promise<SandboxReply> {
    const message = fieldOf(request.json(), "message");
    const token = textOf(message, "token");
    if (!DEVICE_TOKEN.test(token)) {
      return fcmError(
        400,
        "INVALID_ARGUMENT",
        "The registration token is not a valid FCM registration token",
        "INVALID_ARGUMENT",
      );
    }
    if (UNREGISTERED.test(token)) return fcmError(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED");
    const stored = messageOf(message, token, project);
    await store.addMessage(stored, []);
    return { status: 200, body: { name: stored.id } };
  }
  return {
    /** Null: not one of Google's paths. */
    async handle(request: SandboxRequest): Promise<SandboxReply | null> {
      const path = request.url.pathname;
      if (path === "/token" && request.method === "POST") return grantToken(request);
      if (!path.startsWith("/v1/projects/")) return null;
      if (!isTokenValid(request.headers.authorization ?? "", keys.tokenSecret)) {
        return fcmError(
          401,
          "UNAUTHENTICATED",
          "Request had invalid authentication credentials.",
          "THIRD_PARTY_AUTH_ERROR",
        );
      }
      if (path === `/v1/projects/${project}/messages:send` && request.method === "POST") return send(request);
      return fcmError(403, "PERMISSION_DENIED", "Permission denied on that project.", "SENDER_ID_MISMATCH");
    },
    isSend: (request: SandboxRequest) => request.url.pathname.startsWith("/v1/projects/"),
  };
}

function refused(error_description: string): SandboxReply {
  return { status: 400, body: { error: "invalid_grant", error_description } };
}

interface Claims {
  iss: string;
  scope: string;
  exp: number;
  iat: number;
}

function claimsOf(assertion: string, keys: SandboxKeys): Claims | null {
  const [header = "", payload = "", signature = ""] = assertion.split(".");
  const verify = createVerify("RSA-SHA256").update(`${header}.${payload}`);
  const isSigned = verify.verify(keys.serviceAccountPublicKey, Buffer.from(signature, "base64url"));
  if (!isSigned) return null;
  return (parseJson(Buffer.from(payload, "base64url").toString("utf8")) ?? null) as Claims | null;
}

function signToken(expiresAt: number, secret: string): string {
  return `ya29.${expiresAt}.${createHmac("sha256", secret).update(String(expiresAt)).digest("base64url")}`;
}

function isTokenValid(authorization: string, secret: string): boolean {
  const expiresAt = Number(/^Bearer ya29\.(\d+)\./.exec(authorization)?.[1]);
  return expiresAt > Date.now() / 1000 && isSameSecret(authorization, `Bearer ${signToken(expiresAt, secret)}`);
}

function messageOf(message: unknown, token: string, project: string): SandboxMessage {
  const notification = fieldOf(message, "notification");
  const android = fieldOf(message, "android");
  const tag = textOf(fieldOf(android, "notification"), "tag") || textOf(android, "collapse_key");
  const link = textOf(fieldOf(message, "data"), "link");
  return {
    id: `projects/${project}/messages/0:${Date.now()}%${randomBytes(8).toString("hex")}`,
    channel: "push",
    to: token,
    from: project,
    subject: textOf(notification, "title") || null,
    body: textOf(notification, "body"),
    received_at: new Date().toISOString(),
    status: "delivered",
    ...(tag !== "" && { tag }),
    ...(link !== "" && { link }),
  };
}
