import { proxyActivities, setCurrentDetails } from "@temporalio/workflow";

import type { DeliveryActivities, DeliverySweep } from "../../core/contracts/delivery.ts";

/** May be repeated: every delivery is looked at anew. Few attempts: the next sweep is not far. */
const activities = proxyActivities<DeliveryActivities>({
  startToCloseTimeout: "10 minutes",
  retry: { initialInterval: "5 s", maximumInterval: "60 s", maximumAttempts: 5 },
});

/** Goes once over all deliveries that nobody looks after. */
export async function sweepDeliveries(): Promise<DeliverySweep> {
  const report = await activities.sweepDeliveries();
  setCurrentDetails(`**${report.looked_at}** looked at: ${report.settled} settled; ${report.announced} announced late`);
  return report;
}
