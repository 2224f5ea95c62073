import { randomBytes } from "node:crypto";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { bearerToken, formatApiKey, hashApiKey, prefixOfApiKey } from "./api-key.ts";

const client = fc.stringMatching(/^[a-z0-9_-]{1,40}$/);

test("a key names its client and comes back out of the header", () => {
  fc.assert(
    fc.property(client, (id) => {
      const key = formatApiKey(id, randomBytes(24));
      expect(key.startsWith(`lv_${id}_`)).toBe(true);
      expect(bearerToken(`Bearer ${key}`)).toBe(key);
    }),
  );
});

test("the prefix shows who, and at most a few characters of the secret", () => {
  const key = formatApiKey("demo", randomBytes(24));
  expect(key.startsWith(prefixOfApiKey(key))).toBe(true);
  expect(key.length - prefixOfApiKey(key).length).toBeGreaterThanOrEqual(18);
});

test("the hash is SHA-256 in hexadecimal", () => {
  expect(hashApiKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("too few random bytes are refused", () => {
  expect(() => formatApiKey("demo", randomBytes(15))).toThrow(RangeError);
});

test.each([undefined, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b", `Bearer ${"a".repeat(600)}`, "Bearer a\nb"])(
  "%j carries no token",
  (header) => {
    expect(bearerToken(header)).toBeNull();
  },
);
