import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CHANNELS } from "../core/message.ts";
import { STARTER_TEMPLATES } from "../core/starter-template.ts";
import { renderTemplate, type Variables } from "./render.ts";
import { plainTemplate, starterTemplate, type TemplateContent } from "./templates/starters.ts";

function template(body: string, subject: string | null = null): TemplateContent {
  return { subject, body, content_sid: null, content_variables: null };
}

function variables(props: Record<string, unknown> = {}): Variables {
  return {
    contact: { name: null, first_name: null, email: null },
    event: { type: "add_to_cart", at: "2026-11-21T10:00:00Z", key: "cart-1", props },
    cart: { url: null, items: [] },
    client: { id: "demo", name: "Mango & Co" },
    campaign: { id: "c", name: "C" },
  };
}

describe("rendering", () => {
  it("escapes in HTML, and nowhere else", async () => {
    const props = { name: "<b>Tom & Jerry</b>" };
    const mail = await renderTemplate(
      "email",
      template("{{ event.props.name }}", "{{ event.props.name }}"),
      variables(props),
    );
    expect(mail.body).toBe("&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;");
    expect(mail.subject).toBe("<b>Tom & Jerry</b>");
    const sms = await renderTemplate("sms", template("{{ event.props.name }}"), variables(props));
    expect(sms.body).toBe("<b>Tom & Jerry</b>");
  });

  it("never reads what a shop sends as a template", async () => {
    const hostile = fc.string().map((text) => `{{ ${text} }}{% assign x = 1 %}`);
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const { body } = await renderTemplate("sms", template("[{{ event.props.name }}]"), variables({ name }));
        expect(body).toContain("{{");
        expect(body).toContain("{% assign x = 1 %}");
      }),
    );
  });

  it("would rather send nothing than a message with a hole, unless the template says what to put there", async () => {
    await expect(renderTemplate("sms", template("{{ event.props.price }}"), variables())).rejects.toThrow("price");
    const { body } = await renderTemplate("sms", template("{{ event.props.price | default: 'a bit' }}"), variables());
    expect(body).toBe("a bit");
  });

  it("keeps a subject on one line", async () => {
    const { subject } = await renderTemplate(
      "email",
      template("x", "{{ event.props.s }}"),
      variables({ s: "a\r\nBcc: b@c.d" }),
    );
    expect(subject).toBe("a Bcc: b@c.d");
  });

  it("leaves out an address that is none of the web", async () => {
    const link = template(`<a href="{{ event.props.url | safe_url }}">x</a>`);
    const render = async (url: string) => (await renderTemplate("email", link, variables({ url }))).body;
    expect(await render("javascript:alert(1)")).toBe('<a href="">x</a>');
    expect(await render("https://a.example/?a=1&b=2")).toBe('<a href="https://a.example/?a=1&amp;b=2">x</a>');
  });

  it("does not reach into prototypes", async () => {
    const reach = template("{{ event.props.constructor.name | default: 'nothing' }}");
    expect((await renderTemplate("sms", reach, variables())).body).toBe("nothing");
  });

  it("stops a template that runs wild", async () => {
    const wild = template("{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}");
    await expect(renderTemplate("sms", wild, variables())).rejects.toThrow("limit exceeded");
  });

  it("renders the variables of an approved WhatsApp template", async () => {
    const approved = { ...template("x"), content_sid: "HX1", content_variables: { "1": "{{ event.props.name }}\n!" } };
    const { content } = await renderTemplate("whatsapp", approved, variables({ name: "Shirt" }));
    expect(content).toEqual({ sid: "HX1", variables: { "1": "Shirt !" } });
  });

  it.each(CHANNELS)("has words for everybody by %s, whatever is known of them", async (channel) => {
    const all = [...STARTER_TEMPLATES.map((name) => starterTemplate(channel, name)), plainTemplate(channel)];
    for (const known of all) {
      const { body, subject } = await renderTemplate(channel, known, variables());
      expect(body.length).toBeGreaterThan(10);
      expect(`${subject ?? ""}${body}`).not.toMatch(/\{\{|\}\}|undefined|null/);
    }
  });
});
