const FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";
const BUTTON =
  "display:inline-block;padding:13px 26px;border-radius:28px;background:#1d1b26;color:#fff;text-decoration:none;font-weight:600";

/** A mail that reads well everywhere: one column, styles inline. `title`, `text` and `button` are Liquid and HTML. */
export function mailBody({ title, text, button }: { title: string; text: string; button: string }): string {
  return `<div style="margin:0;padding:32px 16px;background:#f4f3f8;${FONT};color:#1d1b26">
<div style="max-width:560px;margin:0 auto;padding:36px;border-radius:16px;background:#fff">
<p style="margin:0 0 22px;color:#6c6879;font-size:13px;letter-spacing:.06em;text-transform:uppercase">{{ client.name }}</p>
<h1 style="margin:0 0 14px;font-size:26px;line-height:1.25">${title}</h1>
<p style="margin:0 0 26px;font-size:16px;line-height:1.6">${text}</p>
{% if cart.url %}<p style="margin:0"><a href="{{ cart.url | safe_url }}" style="${BUTTON}">${button}</a></p>{% endif %}
</div>
</div>`;
}
