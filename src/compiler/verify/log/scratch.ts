/** Which registers and stack slots of the current frame changed since the log showed them last. */
import type { Env } from '../env.js';

export function markRegScratched(env: Env, register: number): void {
  env.scratchedRegs |= 1 << register;
}

export function markStackSlotScratched(env: Env, slot: number): void {
  if (slot < 32) env.scratchedStackLo |= 1 << slot;
  else env.scratchedStackHi |= 1 << slot;
}

/** Everything is to be shown again. */
export function markStateScratched(env: Env): void {
  env.scratchedRegs = -1;
  env.scratchedStackLo = -1;
  env.scratchedStackHi = -1;
}

export function markStateClean(env: Env): void {
  env.scratchedRegs = 0;
  env.scratchedStackLo = 0;
  env.scratchedStackHi = 0;
}

export function stateScratched(env: Env): boolean {
  return (env.scratchedRegs | env.scratchedStackLo | env.scratchedStackHi) !== 0;
}

export function regScratched(env: Env, register: number): boolean {
  return (env.scratchedRegs & (1 << register)) !== 0;
}

export function stackSlotScratched(env: Env, slot: number): boolean {
  return ((slot < 32 ? env.scratchedStackLo : env.scratchedStackHi) & (1 << slot)) !== 0;
}
