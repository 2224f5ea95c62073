/**
 * What `work` answers. Rejects, saying who has not answered, when it takes longer; what comes after that is not heard, so
 * the work itself may yet be done.
 */
export function withTimeout<T>(work: PromiseLike<T>, timeoutMs: number, who: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${who} has not answered in time`)), timeoutMs);
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
