const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|:([a-z_][a-z0-9_]*)/gi;

/** Rewrites `:name` outside of quotes and comments. */
export function rewriteParameters(sql: string, rewrite: (name: string) => string): string {
  return sql.replaceAll(TOKEN, (token, name: string | undefined) => (name === undefined ? token : rewrite(name)));
}

/** The names of a statement's parameters, in order, each once. */
export function namesOf(sql: string): string[] {
  return [...new Set([...sql.matchAll(TOKEN)].flatMap(([, name]) => name ?? []))];
}
