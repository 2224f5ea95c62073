/** Any answer will do, an error too: the AWS look-alikes refuse a plain GET. */
export async function answersHttp(url: string, withinMs = 2_000): Promise<boolean> {
  await fetch(url, { signal: AbortSignal.timeout(withinMs) });
  return true;
}
