import type { Config } from "../../platform/config.ts";

/** Where the process of `relay-child.ts` dies. */
export const DEATHS = [
  "before the change is committed",
  "after the change is committed",
  "before the stream has the second event",
  "before it is forgotten what was owed",
] as const;
export interface RelayTask {
  config: Config;
  client_id: string;
  contact_id: string;
  deal_id: string;
  death: (typeof DEATHS)[number];
}
