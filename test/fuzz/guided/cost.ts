/** What no input may cost, whichever target it is for: more is a finding. */
import { cpuUsage, memoryUsage } from 'node:process';

const MAX_MILLISECONDS = 2000;
const MAX_BYTES = 512 << 20;
/** Milliseconds of each instruction that the verifier processed, under the fuzzer's instrumentation: up to a million are its right. */
const PER_INSTRUCTION = 0.05;

/**
 * Runs one input; `work` answers how many instructions were verified. Throws what it throws, and where it took more
 * processor time or memory than any input may.
 */
export function bounded(work: () => number): void {
  const held = bytes();
  const start = cpuUsage();
  const verified = work();
  settle(start, held, MAX_MILLISECONDS + verified * PER_INSTRUCTION);
}

/** The same of work that is awaited. */
export async function boundedAsync(work: () => Promise<void>): Promise<void> {
  const held = bytes();
  const start = cpuUsage();
  await work();
  settle(start, held, MAX_MILLISECONDS);
}

function settle(start: NodeJS.CpuUsage, held: number, limit: number): void {
  const { user, system } = cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > limit) throw new Error(`finding: ${Math.round(milliseconds)} ms of processor time`);
  const grown = bytes() - held;
  if (grown > MAX_BYTES) throw new Error(`finding: ${grown} bytes of memory`);
}

function bytes(): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}
