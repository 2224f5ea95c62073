import type { SandboxMessage } from "./store.ts";

const LINK = /(<a\b[^>]*?\bhref\s*=\s*)(["'])(https?:\/\/[^"']*)\2/gi;

/** A mail as its reader's mail program shows it, its links counted on the way as SendGrid counts them. */
export function viewOf(message: SandboxMessage): { html: string; links: string[] } {
  if (!message.is_html)
    return {
      html: `<pre style="margin:16px;white-space:pre-wrap;font:16px/1.6 system-ui,sans-serif">${escapeHtml(message.body)}</pre>`,
      links: [],
    };
  const links: string[] = [];
  const body = message.body.replace(LINK, (_whole, start: string, quote: string, href: string) => {
    const url = decodeEntities(href);
    links.push(url);
    const counted = `/outbox/${encodeURIComponent(message.id)}/click?url=${encodeURIComponent(url)}`;
    return `${start}${quote}${escapeHtml(counted)}${quote}`;
  });
  return { html: `<!doctype html><meta charset="utf-8"><base target="_blank">${body}`, links };
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

function decodeEntities(text: string): string {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#34": '"' };
  return text.replaceAll(/&(amp|lt|gt|quot|#39|#34);/g, (_whole, name: string) => characters[name]!);
}
