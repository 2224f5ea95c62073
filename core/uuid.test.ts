import { expect, it } from "vitest";

import { uuidOf, uuidV5 } from "./uuid.ts";

it("answers as RFC 9562 does", () => {
  expect(uuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")).toBe(
    "2ed6657d-e927-568b-95e1-2665a8aea6a2",
  );
});

it("tells apart what would read the same when strung together", () => {
  expect(uuidOf("a", "bc")).not.toBe(uuidOf("ab", "c"));
  expect(uuidOf("a", "bc")).toBe(uuidOf("a", "bc"));
});
