import type { Campaign } from "../core/campaign.ts";
import { MINUTE_MS } from "../core/time.ts";

/** The seeds' own example, but for how long it waits. */
export function demoCampaign({ reminderMs, couponMs }: { reminderMs: number; couponMs: number }): Campaign {
  return {
    campaign_id: "cart-abandonment",
    name: "Cart abandonment",
    trigger: "cart_abandonment",
    schedule: [
      { delay_minutes: reminderMs / MINUTE_MS, action: "whatsapp_template:reminder" },
      { delay_minutes: couponMs / MINUTE_MS, action: "email:coupon" },
    ],
    audience_query: "select user_id from segments where added_to_cart = true and purchase=false",
  };
}
