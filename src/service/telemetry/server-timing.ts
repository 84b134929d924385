/** The value of Server-Timing (https://www.w3.org/TR/server-timing/), in milliseconds: the whole, then the stages. */
export function serverTiming(total: number, timings: Readonly<Record<string, number>>): string {
  let text = `total;dur=${total.toFixed(2)}`;
  for (const stage in timings) text += `, ${stage};dur=${timings[stage]!.toFixed(2)}`;
  return text;
}
