import { afterAll, beforeAll, beforeEach } from "vitest";

import { createJourneyStack } from "./journey-stack.ts";
import { waitUntil } from "./wait-until.ts";

type JourneyStack = Awaited<ReturnType<typeof createJourneyStack>>;

/** A shop for the tests of a file, and for each test somebody whom no other has met, with an event type of their own. */
export function useAutomationScene() {
  let shop: JourneyStack;
  const me = { user: "", anon: "", filled: "", campaign: "" };
  let people = 0;

  const meetSomebody = () => {
    people += 1;
    Object.assign(me, { user: `user-${people}`, anon: `device-${people}` });
    Object.assign(me, { filled: `fill_${people}`, campaign: `c${people}` });
  };
  beforeAll(async () => {
    shop = await createJourneyStack();
  });
  afterAll(() => shop.close());
  beforeEach(meetSomebody);

  const runsOf = async (key: string) => (await shop.runs()).filter((run) => run.person_keys.includes(key));
  const runOf = async (key: string) => (await runsOf(key)).at(-1);

  return {
    get shop() {
      return shop;
    },
    /** Whom this test is about. */
    me,
    runsOf,
    runOf,
    /** The templates of what was handed over to them. */
    async sentTo(key: string) {
      const ids = new Set((await runsOf(key)).map((run) => run.id));
      return shop.sent.filter((request) => ids.has(request.run_id)).map((request) => request.template);
    },
    reaches: (key: string, state: string) =>
      waitUntil(async () => (await runOf(key))?.state === state, { what: `${key} is ${state}` }),
    /** Their cart, filled. */
    fill: () => ({ type: me.filled, user: me.user }),
    /** A campaign that reminds them of it. */
    cart: (minutes: number, more: object = {}) => ({
      campaign_id: me.campaign,
      trigger: `event:${me.filled}`,
      schedule: [{ delay_minutes: minutes, action: "whatsapp_template:reminder" }],
      exit_on: ["purchase"],
      ...more,
    }),
  };
}
