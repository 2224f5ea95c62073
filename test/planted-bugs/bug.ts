/** A test that is to fail when the bug is there, and only then. */
export interface Catcher {
  /** From the root; its name says which vitest project it belongs to. */
  file: string;
  /** As vitest shows it: `suite > test`. */
  test: string;
}

/** A deliberate mistake: never in a build, only in what a test run reads. */
export interface PlantedBug {
  name: string;
  /** What the code does wrong, in a sentence. */
  says: string;
  /** From the root. */
  file: string;
  /** A piece of its source, to be found exactly once … */
  finds: string;
  /** … and what stands there instead. */
  becomes: string;
  /** Each of these has to fail. */
  caughtBy: readonly [Catcher, ...Catcher[]];
}

/** The source with the bug in it. Throws where the piece is not there once: then the code has moved on, and the list must follow. */
export function plant(bug: PlantedBug, source: string): string {
  const times = source.split(bug.finds).length - 1;
  if (times === 1) return source.replace(bug.finds, () => bug.becomes);
  throw new Error(`planted bug "${bug.name}": its piece of source is ${times} times in ${bug.file}, not once`);
}
