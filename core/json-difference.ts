import { isObject } from "./is-object.ts";

/** One place at which two JSON values differ; what is not there is undefined. */
export interface JsonDifference {
  /** JSON pointer. */
  path: string;
  before: unknown;
  after: unknown;
}

/** Where two JSON values differ, as deep as both have the place; keys in order, whatever order they were written in. */
export function jsonDifferences(before: unknown, after: unknown, path = ""): JsonDifference[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const places = [...Array(Math.max(before.length, after.length)).keys()];
    return places.flatMap((place) => jsonDifferences(before[place], after[place], `${path}/${place}`));
  }
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return keys.flatMap((key) => {
      const [a, b] = [before, after].map((value) => (Object.hasOwn(value, key) ? value[key] : undefined));
      return jsonDifferences(a, b, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    });
  }
  return Object.is(before, after) ? [] : [{ path, before, after }];
}
