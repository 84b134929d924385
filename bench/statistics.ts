/** Figures of a run. */

/** x and y. */
export type Sample = readonly [number, number];

/** Of values in ascending order; 0 where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Of values in any order: of an even number of them the mean of the middle two. NaN where there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of the line through the samples with the least squares. */
export function slope(samples: readonly Sample[]): number {
  const mean = (i: 0 | 1): number => samples.reduce((sum, sample) => sum + sample[i], 0) / samples.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = samples.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return covariance / samples.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** The sample with the least y in each window of x. */
export function leastOf(samples: readonly Sample[], window: number): Sample[] {
  const least = new Map<number, Sample>();
  for (const sample of samples) {
    const at = Math.floor(sample[0] / window);
    const known = least.get(at);
    if (known === undefined || sample[1] < known[1]) least.set(at, sample);
  }
  return [...least.values()];
}
