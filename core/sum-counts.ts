/** All of them together, count by count. A count that one of them lacks is 0 there. */
export function sumCounts<Counts extends Readonly<Record<keyof Counts, number>>>(several: readonly Counts[]): Counts {
  const sums = new Map<string, number>();
  for (const counts of several) {
    for (const [name, count] of Object.entries(counts) as [string, number][])
      sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums) as Counts;
}
