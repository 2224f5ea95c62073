import { readConfig } from "../../../platform/config.ts";
import { createLogger } from "../../../platform/logger.ts";
import { startSandbox } from "./server.ts";

const config = readConfig();
const log = createLogger("sandbox", config);
const sandbox = await startSandbox({
  host: config.LIVORA_HOST,
  port: config.LIVORA_OUTBOX_PORT,
  dir: config.LIVORA_SANDBOX_DIR,
  twilio: { accountSid: config.LIVORA_TWILIO_ACCOUNT_SID, authToken: config.LIVORA_TWILIO_AUTH_TOKEN },
  sendgrid: { apiKey: config.LIVORA_SENDGRID_API_KEY, webhookUrl: `${config.LIVORA_PUBLIC_API_URL}/webhooks/sendgrid` },
  fcmProject: config.LIVORA_FCM_PROJECT,
  log,
});

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await sandbox.close();
}
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
log.info({ port: sandbox.port }, "ready");
