import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import { createMemoryUserStore } from "../../../../test/support/memory-user-store.ts";
import type { Draft } from "../step.ts";
import { createSeenStore, type SeenBatch } from "./seen-store.ts";

const AT = Date.parse("2026-01-05T10:00:00.000Z");

function draft(event_id: string, sequence: string): Draft {
  const source = { shard: "0", sequence, index: 0 };
  return { clientId: "north", event: { event_id }, seenUnderMs: AT, source } as unknown as Draft;
}

async function begin(store: { begin(): SeenBatch }, ...drafts: Draft[]): Promise<SeenBatch> {
  const batch = store.begin();
  await batch.load(drafts);
  return batch;
}

/** All that the steps do with an event. */
async function pass(store: { begin(): SeenBatch }, one: Draft): Promise<"new" | "duplicate"> {
  const batch = await begin(store, one);
  if (batch.isDuplicate(one)) return "duplicate";
  batch.remember(one);
  await batch.save();
  return "new";
}

describe("while all is forgotten, because another shard has come, and a batch is under way", () => {
  it("what that batch then remembers is remembered, also where another has read the minute meanwhile", async () => {
    const seen = createSeenStore(createMemoryUserStore().store);
    const id = randomUUID();
    const underWay = await begin(seen, draft(id, "1"));
    seen.clear();
    expect(await pass(seen, draft(randomUUID(), "2"))).toBe("new");
    expect(underWay.isDuplicate(draft(id, "1"))).toBe(false);
    underWay.remember(draft(id, "1"));
    await underWay.save();
    expect(await pass(seen, draft(id, "3"))).toBe("duplicate");
  });

  it("and where another is still reading it", async () => {
    const { store } = createMemoryUserStore();
    const held = Promise.withResolvers<void>();
    let isHeld = false;
    const list: typeof store.list = async (...asked) => {
      const found = await store.list(...asked);
      if (isHeld) await held.promise;
      return found;
    };
    const seen = createSeenStore({ ...store, list });
    const id = randomUUID();
    const underWay = await begin(seen, draft(id, "1"));
    seen.clear();
    isHeld = true;
    const other = pass(seen, draft(randomUUID(), "2"));
    underWay.remember(draft(id, "1"));
    const saved = underWay.save();
    setTimeout(held.resolve, 1);
    await Promise.all([saved, other]);
    expect(await pass(seen, draft(id, "3"))).toBe("duplicate");
  });
});
