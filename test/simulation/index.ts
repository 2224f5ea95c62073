import { runSeed, type SeedResult } from "./run.ts";

export interface SeedsReport {
  count: number;
  /** Those in which something was that must never be. */
  failed: SeedResult[];
  tookMs: number;
  slowestMs: number;
}

export interface SeedsOptions {
  /** The first seed. */
  from: number;
  count: number;
  /** Stops at the first that fails. */
  stopAtFirst?: boolean;
  onSeed?: (result: SeedResult) => void;
}

/** Runs seeds one after the other. */
export async function runSeeds({ from, count, stopAtFirst = false, onSeed }: SeedsOptions): Promise<SeedsReport> {
  const report: SeedsReport = { count: 0, failed: [], tookMs: 0, slowestMs: 0 };
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed(seed);
    report.count++;
    report.tookMs += result.tookMs;
    report.slowestMs = Math.max(report.slowestMs, result.tookMs);
    onSeed?.(result);
    if (result.violations.length === 0) continue;
    report.failed.push(result);
    if (stopAtFirst) break;
  }
  return report;
}
