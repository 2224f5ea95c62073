import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of its own that answers questions: a server that is measured, or the load. */
export interface Child<Question, Answer> {
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts `file` (relative to `bench/`) with `options`; resolves with what it first sends. */
export async function startChild<Ready, Question, Answer>(
  file: string,
  options: unknown,
): Promise<{ ready: Ready; child: Child<Question, Answer> }> {
  const child = fork(new URL(file, import.meta.url), { serialization: "advanced", stdio: "inherit" });
  child.send(options as object);
  const ready = await nextMessage<Ready>(child, file);
  const ask = async (question: Question): Promise<Answer> => {
    child.send(question as object);
    return nextMessage<Answer>(child, file);
  };
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { ready, child: { ask, stop } };
}

async function nextMessage<T>(child: ChildProcess, file: string): Promise<T> {
  const gone = new AbortController();
  const message = once(child, "message", { signal: gone.signal }) as Promise<[T]>;
  const exit = once(child, "exit", { signal: gone.signal }).then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  try {
    return (await Promise.race([message, exit]))[0];
  } finally {
    message.catch(() => {});
    exit.catch(() => {});
    gone.abort();
  }
}

/** The child's side: takes its options, says that it is ready, then answers question by question. */
export async function serveParent<Options, Question>(
  begin: (options: Options) => Promise<{ ready: unknown; answer: (question: Question) => unknown }>,
): Promise<void> {
  const [options] = (await once(process, "message")) as [Options];
  const { ready, answer } = await begin(options);
  process.on("message", async (question: Question) => process.send?.(await answer(question)));
  process.on("disconnect", () => process.exit(0));
  process.send?.(ready);
}
