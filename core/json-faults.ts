import type { Fault } from "./errors.ts";

/**
 * What nothing behind the edge should meet: objects with a key `__proto__`, and nesting beyond `maxDepth`. For values out
 * of `JSON.parse`; does not descend below `maxDepth`.
 */
export function findJsonFaults(value: unknown, index: number, maxDepth: number): Fault[] {
  const faults: Fault[] = [];
  const visit = (at: unknown, path: string, depth: number) => {
    if (typeof at !== "object" || at === null) return;
    if (depth > maxDepth) {
      faults.push({ index, path, reason: `nested deeper than ${maxDepth}` });
      return;
    }
    for (const key of Object.keys(at)) {
      const keyPath = `${path}/${escapePointer(key)}`;
      if (key === "__proto__") faults.push({ index, path: keyPath, reason: "the key __proto__ is not allowed" });
      else visit((at as Record<string, unknown>)[key], keyPath, depth + 1);
    }
  };
  visit(value, "", 1);
  return faults;
}

/** RFC 6901. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escapePointer(String(part))}`).join("");
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
