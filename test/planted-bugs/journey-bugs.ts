import type { PlantedBug } from "./bug.ts";

/** Who enters, who leaves, and when. */
export const JOURNEY_BUGS: readonly PlantedBug[] = [
  {
    name: "timer-fires-early",
    says: "A delay is over with the first wake-up, whatever time it is.",
    file: "core/journey/reducer.ts",
    finds: "pending.until_ms !== null && state.now_ms >= pending.until_ms ? input : null",
    becomes: "pending.until_ms !== null ? input : null",
    caughtBy: [
      {
        file: "core/journey/reducer.test.ts",
        test: "a cart journey > reminds after 30 minutes and sends the coupon a day after the entry",
      },
    ],
  },
  {
    name: "message-goes-twice",
    says: "An answer that is heard a second time makes the run go on a second time.",
    file: "core/journey/reducer.ts",
    finds: 'pending.type === "send" && pending.id === input.id ?',
    becomes: 'pending.type === "send" ?',
    caughtBy: [
      { file: "core/journey/reducer.test.ts", test: "a cart journey > takes an old answer for no other message's" },
    ],
  },
  {
    name: "pause-loses-the-place",
    says: "Whose message was held by a pause goes on without it when the campaign is resumed.",
    file: "core/journey/nodes/message.ts",
    finds: `return memo.phase === "held"
          ? send(node, memo.events)`,
    becomes: `return memo.phase === "held"
          ? { type: "go", to: node.next, carry: memo.events }`,
    caughtBy: [
      { file: "core/journey/reducer.test.ts", test: "a cart journey > keeps its place while the campaign is paused" },
    ],
  },
  {
    name: "purchase-of-another-key",
    says: "A purchase ends only runs under the key it came with, not those of the same person's devices.",
    file: "analytics/stream/automation/match.ts",
    finds: "const stop = { order, client_id, keys: event.person.keys, of,",
    becomes: "const stop = { order, client_id, keys: [event.person.key], of,",
    caughtBy: [
      {
        file: "analytics/stream/automation/match.test.ts",
        test: "ends under all keys of a person what began under one",
      },
    ],
  },
  {
    name: "old-purchase-ends-new-run",
    says: "A purchase from before the entry, that comes in late, ends the run.",
    file: "analytics/stream/automation/stop-runs.ts",
    finds: `        and run.entered_at <= event.at + \${CLOCK_TOLERANCE}::interval
`,
    becomes: `        and (true or \${CLOCK_TOLERANCE} = '')
`,
    caughtBy: [
      {
        file: "analytics/stream/automation/stop-runs.integration.test.ts",
        test: "ends what was entered before the event, give or take two clocks, and nothing that was entered later",
      },
    ],
  },
  {
    name: "re-entry-is-ignored",
    says: "Whoever may enter once enters again.",
    file: "analytics/stream/automation/admit.ts",
    finds: "and (rule = 'after_exit' or not exists (",
    becomes: "and (true or not exists (",
    caughtBy: [
      {
        file: "analytics/stream/automation/admit.integration.test.ts",
        test: "where the campaign says once, nobody enters a second time, under whichever of their keys",
      },
    ],
  },
];
