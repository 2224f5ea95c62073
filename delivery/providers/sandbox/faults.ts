import { z } from "zod";

export type SandboxProvider = "twilio" | "sendgrid" | "fcm";

/** What goes wrong, for as many requests as `times` says. */
export const faultSchema = z.strictObject({
  provider: z.enum(["twilio", "sendgrid", "fcm"]),
  /** `accept_then_time_out`: the message is taken and shown, and the answer never comes. */
  mode: z.enum(["reject", "rate_limit", "unavailable", "accept_then_time_out", "drop", "delay"]),
  times: z.number().int().min(1).max(1_000_000).default(1),
  delay_ms: z.number().int().min(0).max(600_000).default(0),
});
export type Fault = z.infer<typeof faultSchema>;

export interface FaultSwitches {
  set(fault: Fault): void;
  clear(): void;
  /** The fault that the next request of this provider meets, if any; counts it. */
  take(provider: SandboxProvider): Fault | undefined;
}

export function createFaultSwitches(): FaultSwitches {
  const faults: Fault[] = [];
  return {
    set: (fault) => void faults.push({ ...fault }),
    clear: () => void faults.splice(0),
    take(provider) {
      const index = faults.findIndex((fault) => fault.provider === provider);
      const fault = faults[index];
      if (fault && --fault.times === 0) faults.splice(index, 1);
      return fault;
    },
  };
}
