/**
 * Entry and exit of a function, and its stack (Linux 6.12):
 *
 *     RBP         →  +--------------------------+
 *                    | BPF stack, 8-aligned     |   BPF's R10 is RBP
 *                    | tail-call count          |   of a subprogram, and of a program entered by a tail call of one: the
 *                    | where that count is      |   pointer twice. Both are there where tail calls may happen alone
 *                    | R12                      |   where there is an arena
 *                    | saved registers          |
 *     RSP         →  +--------------------------+
 *
 * A function that may be unwound by an exception (the boundary) saves every callee-saved register, because the exception's callback, which runs
 * on the boundary's frame, restores them all.
 */
import { arithmetic, arithmeticLongNumber, arithmeticNumber, CMP, SUB, XOR } from '../encode/arithmetic.js';
import * as c from '../encode/control.js';
import { move } from '../encode/move.js';
import { RAX, RBP, RDX, RSI, RSP } from '../encode/registers.js';
import { ARENA_BASE, CALLEE_SAVED } from '../registers.js';
import type { FunctionState } from '../state.js';
import { jumpToKernel } from './call.js';
import { loadSymbol, loadWideNumber } from './constants.js';

/** Bytes that a call of a trampoline takes, which the kernel puts over the NOP at a function's entry. */
export const PATCH_BYTES = 5;
/** Most tail calls in a row (MAX_TAIL_CALL_CNT, since Linux 5.16). */
export const MAX_TAIL_CALLS = 33;

/** Where a tail call enters the next program, in bytes: behind the set-up of the frame, with its landing pad. */
export function tailCallEntry(landingPads: boolean): number {
  return PATCH_BYTES + 3 + 1 + 3 + (landingPads ? 4 : 0);
}

export function emitPrologue(s: FunctionState): void {
  const { code, fn } = s;
  const { landingPads } = s.options.build;
  if (landingPads) c.landingPad(code);
  c.nop(code, PATCH_BYTES);
  // The count of tail calls begins with 0 where the whole chain does; elsewhere as many bytes do nothing.
  if (fn.tailCallReachable && !fn.isSubprogram) arithmetic(code, XOR, true, RAX, RAX);
  else c.nop(code, 3);
  if (fn.exceptionCallback) enterCallback(s);
  else {
    c.push(code, RBP);
    move(code, true, RBP, RSP);
  }
  if (landingPads) c.landingPad(code);
  if (s.stackBytes > 0) arithmeticLongNumber(code, SUB, true, RSP, s.stackBytes);
  if (fn.tailCallReachable) keepTailCallCount(s);
  s.saved = fn.exceptionBoundary ? [ARENA_BASE, ...CALLEE_SAVED] : savedRegisters(s);
  for (const register of s.saved) c.push(code, register);
  loadArenaBase(s);
}

/** The callback is handed the boundary's stack and frame as its second and third arguments, and goes on in that frame. */
function enterCallback({ code }: FunctionState): void {
  move(code, true, RSP, RSI);
  move(code, true, RBP, RDX);
  for (const register of [...CALLEE_SAVED].reverse()) c.pop(code, register);
  c.pop(code, ARENA_BASE);
  move(code, true, RSP, RBP);
}

/**
 * RAX is the count, or a pointer to it: what exceeds the most that a count may be is a pointer. The main program puts a count on its stack and
 * has RAX point there; a pointer that a subprogram was called with is kept.
 */
function keepTailCallCount({ code, fn }: FunctionState): void {
  if (!fn.isSubprogram) {
    arithmeticNumber(code, CMP, true, RAX, MAX_TAIL_CALLS);
    c.shortJumpIf(code, c.ABOVE, 6);
    c.push(code, RAX);
    move(code, true, RAX, RSP);
    c.shortJump(code, 1);
  }
  c.push(code, RAX);
  c.push(code, RAX);
}

/** What the function must give back as it found it, in the order of pushes. */
function savedRegisters(s: FunctionState): number[] {
  const used = usedRegisters(s);
  const saved = CALLEE_SAVED.filter((_, k) => (used & (1 << (6 + k))) !== 0);
  return s.arenaMap < 0 ? saved : [ARENA_BASE, ...saved];
}

/** A bit for each BPF register that an instruction names, whatever the field means there. */
function usedRegisters(s: FunctionState): number {
  const { bytes, length } = s.fn.instructions;
  let used = 0;
  for (let i = 0; i < length; i++) {
    const registers = bytes[i * 8 + 1]!;
    used |= (1 << (registers & 0xf)) | (1 << (registers >> 4));
  }
  return used;
}

function loadArenaBase(s: FunctionState): void {
  if (s.arenaMap < 0) return;
  const arena = s.options.link?.arena ?? null;
  if (arena === null) loadSymbol(s, ARENA_BASE, { kind: 'arena', index: s.arenaMap, side: 'kernel' });
  else loadWideNumber(s, ARENA_BASE, arena.kernel.hi, arena.kernel.lo);
}

/** Restores what the prologue saved; a tail call does so, too. */
export function restoreRegisters({ code, saved }: FunctionState): void {
  for (let k = saved.length - 1; k >= 0; k--) c.pop(code, saved[k]!);
}

export function leaveFunction(s: FunctionState): void {
  const { cpu, build } = s.options;
  restoreRegisters(s);
  c.leave(s.code);
  if (cpu.rethunk !== '') jumpToKernel(s, cpu.rethunk);
  else {
    c.returnNear(s.code);
    if (build.stopsReturns) c.breakpoint(s.code);
  }
}
