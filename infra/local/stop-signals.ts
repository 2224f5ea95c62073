/** npm, the shell and the terminal may each pass on the same Ctrl-C. */
const SAME_KEYSTROKE_MS = 1_000;

/** Resolves at the first SIGINT, SIGTERM or SIGHUP; a second one, a moment later, calls `force` and ends the process. */
export function awaitStopSignal(force: () => void): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = () => {
      if (firstAtMs === undefined) {
        firstAtMs = Date.now();
        return resolve();
      }
      if (Date.now() - firstAtMs < SAME_KEYSTROKE_MS) return;
      force();
      process.exit(1);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  });
}
