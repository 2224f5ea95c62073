import type { z } from "zod";

import type { Campaign } from "../core/campaign.ts";
import type { templateContentSchema } from "./template.ts";

const MINUTE_MS = 60_000;

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

/** By `<channel>:<name>`. */
export const DEMO_TEMPLATES: Readonly<Record<string, z.input<typeof templateContentSchema>>> = {
  "whatsapp:reminder": {
    body: "Hello {{ contact.name | default: 'there' }}, your cart is waiting for you. Shall we keep it a little longer?",
  },
  "email:coupon": {
    subject: "{{ contact.name | default: 'Hello' }}, 10 % off what is in your cart",
    body: `<h1>Still thinking about it?</h1>
<p>Hello {{ contact.name | default: 'there' }}, take 10 % off your cart today with the code <strong>COMEBACK10</strong>.</p>
<p><a href="https://shop.example/cart">Back to your cart</a></p>`,
  },
};
