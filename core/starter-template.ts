/** Templates that every client has in all channels before it has written any: `delivery/templates/` holds them. */
export const STARTER_TEMPLATES = ["reminder", "coupon", "welcome", "winback"] as const;
export type StarterTemplate = (typeof STARTER_TEMPLATES)[number];

export function isStarterTemplate(name: string): name is StarterTemplate {
  return (STARTER_TEMPLATES as readonly string[]).includes(name);
}
