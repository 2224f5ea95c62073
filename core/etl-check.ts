/** What is looked into before a curated hour counts. */
export type CheckName = "readable" | "completeness" | "uniqueness" | "ranges" | "references" | "money" | "freshness";

/** What a check found in one hour. Only those that fail with `holds` keep the hour from being replaced. */
export interface PartitionCheck {
  check: CheckName;
  ok: boolean;
  holds: boolean;
  /** How many rows it is about. */
  rows: number;
  /** For people. */
  detail: string;
}
