const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#34": '"', nbsp: " " };

/** A mail's words for readers whose program shows no HTML: links keep their address. */
export function plainTextOf(html: string): string {
  return html
    .replaceAll(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, "")
    .replaceAll(/<a\b[^>]*?\bhref\s*=\s*["'](https?:[^"']*)["'][^>]*>([\s\S]*?)<\/a>/gi, "$2 ($1)")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/<br\b[^>]*>|<\/(p|div|h[1-6]|li|tr|table)>/gi, "\n")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/&(\w+|#\d+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replaceAll(/[ \t]*\n[ \t]*/g, "\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}
