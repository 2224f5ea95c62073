import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What the sandbox signs with, and what Livora needs to know of it. Made once, then kept with the messages. */
export interface SandboxKeys {
  /** PEM, P-256: SendGrid's signed event webhook. */
  sendgridPrivateKey: string;
  /** Base64 DER, as SendGrid shows it in its settings. */
  sendgridPublicKey: string;
  serviceAccount: ServiceAccount;
  /** PEM: checks the service account's assertions. */
  serviceAccountPublicKey: string;
  /** Signs access tokens, so that they outlive a restart. */
  tokenSecret: string;
}

export interface ServiceAccount {
  type: "service_account";
  project_id: string;
  client_email: string;
  private_key: string;
  private_key_id: string;
}

export async function ensureSandboxKeys(dir: string, projectId: string): Promise<SandboxKeys> {
  const existing = await readSandboxKeys(dir);
  if (existing) return existing;
  const keys = makeKeys(projectId);
  await mkdir(dir, { recursive: true });
  // Under another name first: whoever reads the file finds all of it or none.
  const draft = join(dir, `keys.${process.pid}.tmp`);
  await writeFile(draft, JSON.stringify(keys, null, 2), { mode: 0o600 });
  await rename(draft, join(dir, "keys.json"));
  return keys;
}

/** Null while the sandbox has not been started for the first time. */
export async function readSandboxKeys(dir: string): Promise<SandboxKeys | null> {
  try {
    return JSON.parse(await readFile(join(dir, "keys.json"), "utf8")) as SandboxKeys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function makeKeys(projectId: string): SandboxKeys {
  const webhook = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const account = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    sendgridPrivateKey: webhook.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    sendgridPublicKey: webhook.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    serviceAccount: {
      type: "service_account",
      project_id: projectId,
      client_email: `sandbox@${projectId}.iam.gserviceaccount.com`,
      private_key: account.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      private_key_id: randomBytes(20).toString("hex"),
    },
    serviceAccountPublicKey: account.publicKey.export({ type: "spki", format: "pem" }).toString(),
    tokenSecret: randomBytes(32).toString("hex"),
  };
}
