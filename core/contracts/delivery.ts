/** The sweep over deliveries that no journey waits for any more. Runs on a Schedule, one at a time. */
export const DELIVERY_SWEEP_WORKFLOW = "sweepDeliveries";
export const DELIVERY_TASK_QUEUE = "deliveries";
export const DELIVERY_SWEEP_SCHEDULE_ID = "delivery-reconcile";
export const DELIVERY_SWEEP_WORKFLOW_ID = "delivery-reconcile";

export interface DeliverySweep {
  /** Deliveries whose fate was not known. */
  looked_at: number;
  /** Those of which it is known now. */
  settled: number;
  /** Those of which something was still owed to the stream. */
  announced: number;
}

export interface DeliveryActivities {
  sweepDeliveries(): Promise<DeliverySweep>;
}
