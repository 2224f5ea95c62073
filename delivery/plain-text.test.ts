import { expect, it } from "vitest";

import { plainTextOf } from "./plain-text.ts";

it("keeps words, paragraphs and where links lead", () => {
  const html = `<style>p { color: red }</style><h1>Hi &amp; hello</h1>
    <p>Take   it: <a href="https://a.example/x" style="y"><b>here</b></a>.</p><br>Bye &lt;3`;
  expect(plainTextOf(html)).toBe("Hi & hello\nTake it: here (https://a.example/x).\n\nBye <3");
});
