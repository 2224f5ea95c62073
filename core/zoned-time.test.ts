import { expect, test } from "vitest";

import { zoneOf } from "./zoned-time.ts";

test.each([
  ["Asia/Kolkata", "Asia/Kolkata"],
  ["America/Argentina/Ushuaia", "America/Argentina/Ushuaia"],
  ["UTC", "UTC"],
  ["Mars/Olympus", "UTC"],
  ["+05:30", "UTC"],
  ["", "UTC"],
  [undefined, "UTC"],
  [5, "UTC"],
])("the zone of %j is %s", (timezone, expected) => {
  expect(zoneOf({ timezone })).toBe(expected);
});
