import type { DeliveryActivities } from "../core/contracts/delivery.ts";
import { type DeliveryContext, sweepDeliveries } from "../delivery/index.ts";

export function createDeliveryActivities(ctx: DeliveryContext): DeliveryActivities {
  return {
    sweepDeliveries: () => sweepDeliveries(ctx),
  };
}
