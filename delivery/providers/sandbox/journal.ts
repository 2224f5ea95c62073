import { mkdir, open, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";

/** Lines of JSON, appended and on disk before `append` resolves. */
export interface Journal<Entry> {
  entries: Entry[];
  append(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** Opens a journal and reads what it holds. A last line that a crash cut short was never acknowledged: it goes. */
export async function openJournal<Entry>(path: string): Promise<Journal<Entry>> {
  await mkdir(dirname(path), { recursive: true });
  const entries = await recover<Entry>(path);
  const file = await open(path, "a");
  let waiting: { line: string; done(error?: unknown): void }[] = [];
  let flushing: Promise<void> | null = null;

  // What arrives while the disk is busy shares the next flush.
  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const error = await write(batch.map((entry) => entry.line).join("")).then(
        () => undefined,
        (error: unknown) => error,
      );
      for (const entry of batch) entry.done(error);
    }
    flushing = null;
  }
  async function write(lines: string): Promise<void> {
    await file.appendFile(lines);
    await file.datasync();
  }
  return {
    entries,
    append: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ line: `${JSON.stringify(entry)}\n`, done: (error) => (error ? reject(error) : resolve()) });
        flushing ??= flush();
      }),
    async close() {
      await flushing;
      await file.close();
    },
  };
}

async function recover<Entry>(path: string): Promise<Entry[]> {
  const text = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const end = text.lastIndexOf(0x0a) + 1;
  if (end < text.length) await truncate(path, end);
  const lines = text.toString("utf8", 0, end).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
}
