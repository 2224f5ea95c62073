/** Any answer will do, an error too: the AWS look-alikes refuse a plain GET. */
export async function answersHttp(url: string): Promise<boolean> {
  await fetch(url, { signal: AbortSignal.timeout(2_000) });
  return true;
}
