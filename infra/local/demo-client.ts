import type { Config } from "../../platform/config.ts";
import type { Credentials } from "./endpoints.ts";

/** Seconds instead of the usual half hour and day, so that a newcomer sees all of it. */
export const DEMO_DELAYS = {
  reminderMs: 6_000,
  couponMs: 30_000,
  described: [
    "6 s after the cart (usually 30 minutes): a reminder by WhatsApp",
    "30 s after it (usually a day): a coupon by e-mail",
  ],
};

export async function ensureDemo(_config: Config, _dir: string): Promise<Credentials> {
  return { client_id: "demo", api_key: "lv_demo_pending" };
}
