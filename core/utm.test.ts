import * as fc from "fast-check";
import { expect, test } from "vitest";

import { landingPageOf, sourceOf, utmOf } from "./utm.ts";

const none = { source: null, medium: null, campaign: null, term: null, content: null };

test.each([
  [
    "props",
    { props: { utm_source: " Google ", utm_campaign: "Diwali-Sale" } },
    { ...none, source: "google", campaign: "diwali-sale" },
  ],
  ["the context", { context: { utm_medium: "EMAIL" } }, { ...none, medium: "email" }],
  [
    "context.campaign",
    { context: { campaign: { source: "Meta", name: "Launch" } } },
    { ...none, source: "meta", campaign: "launch" },
  ],
  ["context.utm", { context: { utm: { term: "Kurta" } } }, { ...none, term: "kurta" }],
  [
    "the page",
    { context: { page: { url: "https://a.example/x?utm_content=B%20C#utm_term=no" } } },
    { ...none, content: "b c" },
  ],
  ["props.url", { props: { url: "https://a.example/?utm_source=x&utm_source=y" } }, { ...none, source: "x" }],
])("reads %s", (_where, event, utm) => expect(utmOf(event)).toEqual(utm));

test("a click id says what the link's owner did not, and never overrules them", () => {
  expect(utmOf({ props: { url: "https://a.example/?gclid=1" } })).toEqual({ ...none, source: "google", medium: "cpc" });
  expect(utmOf({ props: { fbclid: "x", utm_medium: "Paid" } })).toEqual({
    ...none,
    source: "facebook",
    medium: "paid",
  });
  expect(utmOf({ props: { url: "/?gclid=1&utm_source=partner" } })).toEqual({ ...none, source: "partner" });
});

test("nothing told is null, whatever the event looks like", () => {
  expect(utmOf({})).toBeNull();
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.anything()),
      fc.dictionary(fc.string(), fc.anything()),
      (props, context) => {
        for (const part of Object.values(utmOf({ props, context }) ?? {})) {
          expect(part === null || (part === part.toLowerCase() && part.length <= 200)).toBe(true);
        }
      },
    ),
  );
});

test("the landing page is kept without what may be personal", () => {
  expect(landingPageOf({ context: { page: { url: "https://a.example/reset?token=secret#x" } } })).toBe(
    "https://a.example/reset",
  );
  expect(landingPageOf({ context: { page: { path: "/cart" } } })).toBe("/cart");
  expect(landingPageOf({})).toBeNull();
});

test("the source is the campaign's, else the site that referred, unless that is the shop itself", () => {
  const page = { url: "https://shop.example/a", referrer: "https://www.blog.example/post" };
  expect(sourceOf({ context: { page } }, null)).toBe("blog.example");
  expect(sourceOf({ context: { page } }, { ...none, source: "google" })).toBe("google");
  expect(sourceOf({ context: { page: { ...page, referrer: "https://www.shop.example/" } } }, null)).toBeNull();
});
