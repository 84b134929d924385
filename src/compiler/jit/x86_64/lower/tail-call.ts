/**
 * bpf_tail_call(ctx, array, index): leaves this function's frame and jumps into array->ptrs[index], behind its set-up of the frame. Goes on
 * behind the call where the index is out of range, the slot is empty or the count is used up.
 *
 * Where array and index are known when the program is loaded (direct tail calls), the kernel patches the code whenever that slot changes: over
 * the jump that skips the tail call, and over the NOP at its end, which becomes a jump into the next program. Code is made for an empty slot.
 */
import { ADD, arithmeticLongNumber, arithmeticNumber, test } from '../encode/arithmetic.js';
import * as c from '../encode/control.js';
import * as mem from '../encode/memory.js';
import { move } from '../encode/move.js';
import { RAX, RBP, RCX, RDX, RSI, RSP } from '../encode/registers.js';
import type { FunctionState } from '../state.js';
import { jumpToKernel, tailCountPointer } from './call.js';
import { MAX_TAIL_CALLS, PATCH_BYTES, restoreRegisters, tailCallEntry } from './frame.js';

/** The thunks that jump to where RCX points: with indirect target selection, with counted calls, with retpolines alone. */
const ITS_THUNK = '__x86_indirect_its_thunk_rcx';
const COUNTED_THUNK = '__x86_indirect_jump_thunk_rcx';
const RETPOLINE = '__x86_indirect_thunk_rcx';

/** Lowers slot `i`, a tail call; its immediate is not 0 where array and index are known. */
export function lowerTailCall(s: FunctionState, i: number): void {
  if (s.fn.instructions.imm(i) === 0) indirect(s);
  else direct(s);
}

function indirect(s: FunctionState): void {
  const { code } = s;
  const { offsets, build } = s.options;
  move(code, false, RDX, RDX);
  mem.compareWith(code, RDX, RSI, offsets.arrayMaxEntries);
  const outOfRange = skip(s, c.BELOW_EQUAL);
  const tooMany = skipIfTooMany(s);
  mem.loadElement(code, RCX, RSI, RDX, offsets.arrayPointers);
  test(code, true, RCX, RCX);
  const empty = skip(s, c.EQUAL);
  leaveForNext(s);
  mem.load(code, 3, RCX, RCX, offsets.programFunction);
  arithmeticNumber(code, ADD, true, RCX, tailCallEntry(build.landingPads));
  jumpToRcx(s);
  for (const at of [outOfRange, tooMany, empty]) code.patch(at - 1, code.length - at);
}

function direct(s: FunctionState): void {
  const { code } = s;
  const tooMany = skipIfTooMany(s);
  c.longJump(code, 0);
  const bypass = code.length;
  leaveForNext(s);
  c.nop(code, PATCH_BYTES);
  code.patch(tooMany - 1, code.length - tooMany);
  code.patch(bypass - 4, code.length - bypass);
}

/** A short jump behind the tail call; answers its end. */
function skip({ code }: FunctionState, condition: number): number {
  c.shortJumpIf(code, condition, 0);
  return code.length;
}

function skipIfTooMany(s: FunctionState): number {
  mem.loadFar(s.code, RAX, RBP, tailCountPointer(s));
  mem.compareWordWithNumber(s.code, RAX, MAX_TAIL_CALLS);
  return skip(s, c.ABOVE_EQUAL);
}

/** Counts the tail call, and takes down the frame up to what the next program keeps of it. */
function leaveForNext(s: FunctionState): void {
  const { code } = s;
  mem.addToWord(code, RAX, 1);
  restoreRegisters(s);
  c.pop(code, RAX); // the pointer to the count
  c.pop(code, RAX); // the count, or a subprogram's pointer again: what the next program begins with
  if (s.stackBytes > 0) arithmeticLongNumber(code, ADD, true, RSP, s.stackBytes);
}

function jumpToRcx(s: FunctionState): void {
  const { code } = s;
  const { cpu, build } = s.options;
  if (cpu.its) jumpToKernel(s, ITS_THUNK);
  else if (cpu.lfence) {
    c.loadFence(code);
    c.jumpRegister(code, RCX);
  } else if (cpu.retpoline) jumpToKernel(s, cpu.stuffing ? COUNTED_THUNK : RETPOLINE);
  else {
    c.jumpRegister(code, RCX);
    if (build.stopsJumps) c.breakpoint(code);
  }
}
