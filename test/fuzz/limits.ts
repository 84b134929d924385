/** What no input may do: throw, take longer than a second, allocate beyond 64 times its size. */
import { cpuUsage, memoryUsage } from 'node:process';

const MAX_MILLISECONDS = 1000;
const GROWTH = 64;
/** Small inputs may have this much in any case, in bytes. */
const SMALL = 16 << 20;

export interface Cost {
  /** Of processor time: other processes do not count. */
  readonly milliseconds: number;
  /** Bytes of typed arrays that were made and not collected yet. */
  readonly bytes: number;
}

/** Runs a reader on an input and measures it. What it throws is thrown on. */
export function measure(read: () => void): Cost {
  const bytes = memoryUsage().arrayBuffers;
  const start = cpuUsage();
  read();
  const { user, system } = cpuUsage(start);
  return { milliseconds: (user + system) / 1000, bytes: memoryUsage().arrayBuffers - bytes };
}

/** Throws where an input of that many bytes cost too much. */
export function assertCheap(cost: Cost, inputBytes: number): void {
  if (cost.milliseconds > MAX_MILLISECONDS) throw new Error(`took ${Math.round(cost.milliseconds)} ms`);
  if (cost.bytes > Math.max(SMALL, inputBytes * GROWTH)) throw new Error(`allocated ${cost.bytes} bytes`);
}
