import { Counter, type Registry } from "prom-client";

import type { SchemaMode } from "../../../core/event-schema/registered-schema.ts";
import type { Rejected } from "./chain.ts";

export interface EnrichMetrics {
  batch(result: {
    passed: number;
    unreadable: number;
    rejected: readonly Rejected[];
    written: number;
    conflicts: number;
  }): void;
  link(outcome: "linked" | "refused"): void;
  misfit(mode: SchemaMode): void;
}

export const SILENT: EnrichMetrics = { batch() {}, link() {}, misfit() {} };

export function createEnrichMetrics(registry: Registry | undefined): EnrichMetrics {
  if (!registry) return SILENT;
  const registers = [registry];
  const events = new Counter({
    name: "livora_enrich_events_total",
    help: "Events that left the enrichment, by what became of them and, but for the enriched, where and why",
    labelNames: ["outcome", "stage"],
    registers,
  });
  const items = new Counter({
    name: "livora_enrich_items_total",
    help: "Items of the user store written, and those of them that another had written meanwhile",
    labelNames: ["result"],
    registers,
  });
  const links = new Counter({
    name: "livora_enrich_links_total",
    help: "Links between a device and a user that were made, and that were refused at the limit of devices",
    labelNames: ["outcome"],
    registers,
  });
  const misfits = new Counter({
    name: "livora_enrich_schema_misfits_total",
    help: "Events that did not fit their type's schema, by whether that is only observed",
    labelNames: ["mode"],
    registers,
  });
  return {
    batch({ passed, unreadable, rejected, written, conflicts }) {
      events.inc({ outcome: "enriched", stage: "" }, passed);
      events.inc({ outcome: "dead_letter", stage: "decode" }, unreadable);
      for (const { outcome, stage } of rejected) events.inc({ outcome, stage });
      items.inc({ result: "written" }, written);
      items.inc({ result: "conflict" }, conflicts);
    },
    link: (outcome) => links.inc({ outcome }),
    misfit: (mode) => misfits.inc({ mode }),
  };
}
