/** `text[]` as PostgreSQL writes it: `{a,"b c",NULL}`. Within quotes a backslash makes the next character mean itself. */
export function parseTextArray(text: string): (string | null)[] {
  const items: (string | null)[] = [];
  for (const [, quoted, bare] of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,"]+)/gs)) {
    if (quoted !== undefined) items.push(quoted.replace(/\\(.)/gs, "$1"));
    else items.push(bare === "NULL" ? null : (bare ?? ""));
  }
  return items;
}

export function formatTextArray(items: readonly (string | null)[]): string {
  const formatted = items.map((item) => (item === null ? "NULL" : `"${item.replace(/["\\]/g, "\\$&")}"`));
  return `{${formatted.join(",")}}`;
}
