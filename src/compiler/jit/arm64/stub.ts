/**
 * The long-jump stub behind the epilogue (since Linux 6.1): when a trampoline too far for a BL is attached, the kernel
 * points the function's patch site here and writes the trampoline's address behind the code.
 *
 *     ldr x10, target
 *     br  x10
 *     target: .quad dummy_tramp     (8-aligned, outside the function's size)
 */
import { branchRegister } from './encode/branch.js';
import { maybeShortDistance } from './encode/immediates.js';
import { loadLiteral } from './encode/memory.js';
import { NOP } from './encode/system.js';
import { TMP1 } from './registers.js';
import type { FunctionState } from './state.js';

/** Words of the stub itself. */
export const STUB_WORDS = 2;
/** Bytes of the address behind it. */
export const STUB_TARGET_BYTES = 8;
/** What that address is until a trampoline is attached. */
export const STUB_TARGET_SYMBOL = 'dummy_tramp';

/** Words of code with the stub and its alignment, given those without. */
export function withStub(words: number): number {
  return words + (words & 1) + STUB_WORDS;
}

export function emitStub(s: FunctionState): void {
  if ((s.code.length & 1) !== 0) s.put(NOP);
  s.put(loadLiteral(TMP1, maybeShortDistance(STUB_WORDS)!));
  s.put(branchRegister(TMP1));
}
