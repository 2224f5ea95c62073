import { allHold } from "../condition.ts";
import type { JourneyDefinition, Trigger } from "./definition.ts";

/** What our own deliveries bring back is no sign of life. */
const NO_SIGN_OF_LIFE = new Set(["campaign_delivery"]);
const MAX_KEY_LENGTH = 256;

/** Whether the event is one that the trigger looks at. */
export function isLookedAt(trigger: Trigger, eventType: string): boolean {
  return trigger.type === "event" ? trigger.event_type === eventType : !NO_SIGN_OF_LIFE.has(eventType);
}

/** Whether it begins a run, as far as the event itself can tell. */
export function isEntry(trigger: Trigger, props: Readonly<Record<string, unknown>>): boolean {
  return trigger.type !== "event" || allHold(trigger.where, props);
}

/** The cart or order that a run is about; where the prop is missing, one run for the person. */
export function entryKeyOf({ trigger }: Pick<JourneyDefinition, "trigger">, props: Readonly<Record<string, unknown>>) {
  if (trigger.type !== "event" || trigger.key_prop === null) return "";
  const value = Object.hasOwn(props, trigger.key_prop) ? props[trigger.key_prop] : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, MAX_KEY_LENGTH) : "";
}
