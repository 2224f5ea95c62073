import { Listr } from "listr2";

import type { Report } from "./artifacts/artifact.ts";

export interface Task {
  title: string;
  run(report: Report): Promise<void>;
}

/** Side by side, with spinners on a terminal and one line per change elsewhere. The first failure is thrown. */
export async function runTasks(tasks: readonly Task[]): Promise<void> {
  const list = new Listr(
    tasks.map(({ title, run }) => ({
      title,
      task: (_: unknown, task: { output: string }) => run(throttle((text) => (task.output = text))),
    })),
    {
      concurrent: true,
      exitOnError: true,
      registerSignalListeners: false,
      rendererOptions: { collapseErrors: false },
      fallbackRenderer: "simple",
      fallbackRendererOptions: {},
    },
  );
  await list.run();
}

/** A download reports every chunk: a log wants a line every few seconds, a terminal a few a second. */
function throttle(report: Report): Report {
  const pauseMs = process.stdout.isTTY ? 100 : 5_000;
  let last = 0;
  return (text) => {
    if (Date.now() - last < pauseMs) return;
    last = Date.now();
    report(text);
  };
}
