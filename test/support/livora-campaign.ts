import type { LivoraTarget } from "./livora.ts";
import { withPostgres } from "./oracle-evidence.ts";
import type { CampaignStep } from "./oracle-messages.ts";

/** A request to Livora's API as its client; throws, with what it said, where it refuses. */
export async function callApi<T>(
  { endpoints }: Pick<LivoraTarget, "endpoints">,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(`${endpoints.api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${endpoints.api_key}`,
      "x-client-id": endpoints.client_id,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

const ACTIONS: Record<string, string> = { whatsapp: "whatsapp_template:reminder", email: "email:coupon" };

/** The seeds' campaign, its steps as given: a WhatsApp reminder, an e-mail with a coupon. */
export function cartCampaign(campaign_id: string, steps: readonly CampaignStep[]) {
  const schedule = steps.map(({ channel, delayMs }) => ({ delay_minutes: delayMs / 60_000, action: ACTIONS[channel] }));
  return { campaign_id, trigger: "cart_abandonment", schedule };
}

export async function publishCampaign(livora: LivoraTarget, campaign: { campaign_id: string }): Promise<void> {
  await callApi(livora, "POST", "/api/v1/campaigns", campaign);
  await callApi(livora, "POST", `/api/v1/campaigns/${campaign.campaign_id}/publish`);
}

/** Everyone of the demo's own campaigns stands still, so that only the test's own send. */
export async function pauseOthers(livora: LivoraTarget): Promise<void> {
  const others = await withPostgres(
    livora.postgres,
    (sql) => sql<{ id: string }[]>`select id from campaigns where client_id = ${livora.client_id} and state = 'active'`,
  );
  for (const { id } of others) await callApi(livora, "POST", `/api/v1/campaigns/${id}/pause`);
}
