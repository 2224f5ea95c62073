import { z } from "zod";

import { SCALING_MODES } from "../core/contracts/shard-scaling.ts";
import { AppError } from "../core/errors.ts";

const moment = z.union([z.literal(""), z.iso.datetime()]).default("");
const port = z.coerce.number().int().min(0).max(65_535);

/**
 * Everything that can be configured, with what `npm start` uses where nothing is set. The only reader of the
 * environment: services take a `Config`.
 */
const schema = z.object({
  LIVORA_HOST: z.string().default("127.0.0.1"),
  /** Proxies of ours in front of ingest, each adding to `X-Forwarded-For`. 0 believes the socket only. */
  LIVORA_INGEST_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  LIVORA_INGEST_PORT: port.default(7070),
  LIVORA_API_PORT: port.default(7071),
  LIVORA_OUTBOX_PORT: port.default(7072),
  /** By client, over all its keys. */
  LIVORA_API_REQUESTS_PER_SECOND: z.coerce.number().int().min(1).default(200),
  /** Metrics of the stream consumers and of the workers; 0 takes any free port. */
  LIVORA_CONSUMERS_METRICS_PORT: port.default(7073),
  LIVORA_WORKERS_METRICS_PORT: port.default(7074),
  LIVORA_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),

  /** Owner of the schema: migrations and the services that serve all clients. */
  LIVORA_POSTGRES_URL: z.string().default("postgres://livora:livora@127.0.0.1:7432/livora"),
  /** The role that row-level security binds; the API uses it. */
  LIVORA_POSTGRES_TENANT_URL: z.string().default("postgres://livora_tenant:livora@127.0.0.1:7432/livora"),
  LIVORA_REDIS_URL: z.string().default("redis://127.0.0.1:7379"),
  /** Empty: AWS itself. */
  LIVORA_KINESIS_URL: z.string().default("http://127.0.0.1:7567"),
  LIVORA_DYNAMODB_URL: z.string().default("http://127.0.0.1:7800"),
  AWS_REGION: z.string().default("us-east-1"),
  LIVORA_TEMPORAL_ADDRESS: z.string().default("127.0.0.1:7233"),
  LIVORA_TEMPORAL_NAMESPACE: z.string().default("default"),

  LIVORA_STREAM_EVENTS: z.string().default("livora-events"),
  LIVORA_STREAM_ENRICHED: z.string().default("livora-enriched"),
  LIVORA_STREAM_SHARDS: z.coerce.number().int().min(1).max(16).default(2),
  LIVORA_STREAM_MAX_SHARDS: z.coerce.number().int().min(1).max(16).default(16),
  /** How shards are looked after at first; later the operator says so. */
  LIVORA_SHARD_SCALING: z.enum(SCALING_MODES).default("auto"),
  LIVORA_USER_TABLE: z.string().default("Livora_UserStore"),
  LIVORA_LEASE_TABLE: z.string().default("Livora_Leases"),
  /** The lake's folder. */
  LIVORA_LAKE: z.string().default(".livora/lake"),
  /** History in files: the folder that they may be read from when only their path is given. */
  LIVORA_IMPORT_DIR: z.string().default(".livora/import"),
  /** The largest such file, packed or unpacked. */
  LIVORA_BACKFILL_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(4 * 1024 ** 3),
  /** Of all backfills of a process together, so that what happens now has its share of the stream. */
  LIVORA_BACKFILL_EVENTS_PER_SECOND: z.coerce.number().int().min(1).default(5_000),
  /** After its end a backfill's files are kept so long. */
  LIVORA_BACKFILL_KEPT_HOURS: z.coerce.number().min(0).default(168),
  /** Keys the hashes under which e-mail addresses and phone numbers are looked up. */
  LIVORA_HASH_KEY: z.string().min(16).default("livora-local-hash-key"),

  /** Base URLs of the providers; empty: the real ones. */
  LIVORA_TWILIO_URL: z.string().default("http://127.0.0.1:7072"),
  LIVORA_TWILIO_ACCOUNT_SID: z.string().default("AC00000000000000000000000000000000"),
  LIVORA_TWILIO_AUTH_TOKEN: z.string().default("sandbox-twilio-token"),
  LIVORA_SENDGRID_URL: z.string().default("http://127.0.0.1:7072"),
  LIVORA_SENDGRID_API_KEY: z.string().default("SG.sandbox"),
  /** Public key (base64 DER) that SendGrid signs its event webhook with. The sandbox writes its own at first start. */
  LIVORA_SENDGRID_WEBHOOK_KEY: z.string().default(""),
  LIVORA_FCM_URL: z.string().default("http://127.0.0.1:7072"),
  LIVORA_FCM_PROJECT: z.string().default("livora-sandbox"),
  /** Service account JSON; empty with the sandbox, which makes one. */
  LIVORA_FCM_CREDENTIALS: z.string().default(""),
  /**
   * After a restore: what was sent between these two moments (ISO 8601) is not in the ledger. Messages of runs that were
   * entered before the second are looked for at the provider before they are sent. Empty: nothing is missing.
   */
  LIVORA_LOST_SINCE: moment,
  LIVORA_LOST_UNTIL: moment,
  /** Where providers reach our webhooks. */
  LIVORA_PUBLIC_API_URL: z.string().default("http://127.0.0.1:7071"),
  /** Where the sandbox keeps its messages and keys. */
  LIVORA_SANDBOX_DIR: z.string().default(".livora/sandbox"),
});

export type Config = Readonly<z.infer<typeof schema>>;

/** Throws `misconfigured`, naming every variable that is wrong. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const parsed = schema.safeParse(env);
  if (parsed.success) return Object.freeze(parsed.data);
  const faults = parsed.error.issues.map((issue) => ({ path: issue.path.join("."), reason: issue.message }));
  const list = faults.map((fault) => `${fault.path}: ${fault.reason}`).join("; ");
  throw new AppError("misconfigured", `Configuration is wrong: ${list}`, { faults });
}
