import { z } from "zod";

import { CHANNELS } from "../../core/channel.ts";
import type { JourneyTest, rehearse } from "../../core/journey/test-kit.ts";

const step = z.union(
  [
    z.strictObject({ event: z.string().min(1), props: z.record(z.string(), z.unknown()).optional() }),
    z.strictObject({ advance: z.string() }),
    z.strictObject({ expect_message: z.tuple([z.enum(CHANNELS), z.string()]) }),
    z.strictObject({ expect_silence: z.literal(true) }),
    z.strictObject({ expect_at: z.string() }),
    z.strictObject({ expect_end: z.enum(["completed", "stopped", "failed"]), reason: z.string().optional() }),
    z.strictObject({ expect_runs: z.int().min(0) }),
  ],
  { error: "is no step: event, advance, expect_message, expect_silence, expect_at, expect_end or expect_runs" },
);

/** The tests of a campaign, as they lie beside it: `carts.tests.json` beside `carts.json`. */
export const scenariosSchema = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      at: z.iso.datetime().optional(),
      attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      steps: z.array(step).min(1),
    }),
  )
  .min(1);

export type Scenario = z.infer<typeof scenariosSchema>[number];
type Step = z.infer<typeof step>;

/** Throws at the first step that does not hold, and says which. */
export function playScenario(journey: ReturnType<typeof rehearse>, { at, attributes, steps }: Scenario): void {
  const test = journey.given({ ...(at !== undefined && { at }), ...(attributes && { attributes }) });
  for (const [nth, one] of steps.entries()) {
    try {
      play(test, one);
    } catch (error) {
      throw new Error(`step ${nth + 1}: ${(error as Error).message}`, { cause: error });
    }
  }
}

function play(test: JourneyTest, one: Step): JourneyTest {
  if ("event" in one) return test.event(one.event, one.props);
  if ("advance" in one) return test.advance(one.advance);
  if ("expect_message" in one) return test.expectMessage(...one.expect_message);
  if ("expect_silence" in one) return test.expectSilence();
  if ("expect_at" in one) return test.expectAt(one.expect_at);
  if ("expect_end" in one) return test.expectEnd(one.expect_end, one.reason);
  return test.expectRuns(one.expect_runs);
}
