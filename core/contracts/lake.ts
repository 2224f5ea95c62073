/** Compaction of the lake: small files of a closed hour become one. Runs on a Schedule, one at a time. */
export const COMPACTION_WORKFLOW = "compactLake";
export const LAKE_TASK_QUEUE = "lake";
export const COMPACTION_SCHEDULE_ID = "lake-compaction";
export const COMPACTION_WORKFLOW_ID = "lake-compaction";

/** The stream consumer that fills the lake; its leases and checkpoints bear this name. */
export const LAKE_CONSUMER = "lake";

/** A client's partition: `raw/events/client=…/dt=…/hour=…`. */
export interface CompactionTarget {
  client_id: string;
  partition: string;
}

export interface CompactionCounts {
  partitions: number;
  /** Files that were taken in. */
  merged: number;
  /** Files that took them in. */
  written: number;
  /** Events that stood there twice, kept once. */
  duplicates: number;
  /** Partitions that could not be compacted; the log and the next run have more. */
  failed: number;
}

export interface CompactionInput {
  /** Set by continue-as-new: the last partition that was looked at, and what has been done. */
  after?: CompactionTarget;
  counts?: CompactionCounts;
}

export interface CompactionPage {
  targets: CompactionTarget[];
  /** Where the next page begins; null at the end. */
  next: CompactionTarget | null;
}

export interface LakeActivities {
  /** Closed partitions with two or more small files, in a fixed order. */
  planCompaction(input: { after?: CompactionTarget; limit: number }): Promise<CompactionPage>;
  /** A partition that cannot be compacted is counted, and does not keep the others from it. */
  compactPartitions(input: { targets: CompactionTarget[] }): Promise<CompactionCounts>;
  /** Removes what processes that died left in `_tmp`. */
  sweepLake(): Promise<number>;
}

export const NO_COUNTS: CompactionCounts = { partitions: 0, merged: 0, written: 0, duplicates: 0, failed: 0 };
