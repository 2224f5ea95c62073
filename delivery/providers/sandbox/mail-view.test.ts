import { expect, it } from "vitest";

import { viewOf } from "./mail-view.ts";
import type { SandboxMessage } from "./store.ts";

const mail = (body: string, is_html = true) => ({ id: "m/1", channel: "email", body, is_html }) as SandboxMessage;

it("counts a mail's links, and leads only where the mail does", () => {
  const { html, links } = viewOf(
    mail(`<a class="x" href="https://a.example/?a=1&amp;b=2">x</a><a href="javascript:y">z</a>`),
  );
  expect(links).toEqual(["https://a.example/?a=1&b=2"]);
  expect(html).toContain('href="/outbox/m%2F1/click?url=https%3A%2F%2Fa.example%2F%3Fa%3D1%26b%3D2"');
});

it("shows a mail without HTML as the text that it is", () => {
  const { html, links } = viewOf(mail("<script>alert(1)</script>", false));
  expect(html).toContain("&lt;script&gt;");
  expect(links).toEqual([]);
});
