/** The integration manual's campaign, section 9, as it stands there. */
export const SEED_CAMPAIGN = {
  campaign_id: "camp_123",
  trigger: "cart_abandonment",
  schedule: [
    { delay_minutes: 30, action: "whatsapp_template:reminder" },
    { delay_minutes: 1440, action: "email:coupon" },
  ],
  audience_query: "select user_id from segments where added_to_cart = true and purchase=false",
};
