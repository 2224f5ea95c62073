/**
 * What `work` answers. Rejects, saying who has not answered, when it takes longer; what comes after that is not heard, so
 * the work itself may yet be done.
 */
export async function withTimeout<T>(work: () => PromiseLike<T>, timeoutMs: number, who: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${who} has not answered in time`)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
