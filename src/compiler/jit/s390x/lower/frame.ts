/**
 * Entry and exit of a function, and its frame (Linux 6.12, struct prog_frame of arch/s390/net):
 *
 *     caller's %r15 + 160 →  +--------------------------+
 *                            | back chain               |  152
 *                            | %r6 … %r15, saved        |  72
 *                            | count of tail calls      |  64
 *     BPF's R10           →  +--------------------------+  64
 *                            | BPF stack, 8-aligned     |      it grows into the caller's frame, which leaves 64 bytes
 *     %r15                →  +--------------------------+
 *
 * The registers saved are those that the code names, in groups that leave out two or more. A function that may be unwound
 * by an exception (the boundary) saves all, because the exception's callback, which runs on its stack, restores them all.
 */
import { branchLong, branchRegister, branchShort, ri, ril, rr, rre, rs, rsy, rxy, ss } from '../encode/formats.js';
import { AGHI, BASR, EXRL, LA, LARL, LG, LGR, LMG, STG, STMG, XC, type Rsy, type Rxy } from '../encode/opcodes.js';
import { align } from '../layout.js';
import {
  CALLEE_SAVED,
  FRAME_POINTER,
  LINK,
  LITERALS,
  MACHINE_REGISTER,
  NONE,
  RETURN,
  STACK,
  WORK1,
} from '../registers.js';
import { isLongDisplacement, type FunctionState } from '../state.js';

/** What the ABI has a caller leave for its callee above %r15, and where BPF's stack begins in it. */
const CALLER_FRAME = 160;
const STACK_TOP = 64;
const COUNT = 64;
const SAVED_R6 = 72;
const BACK_CHAIN = 152;
/** Bytes of the count of tail calls. */
export const COUNT_BYTES = 4;

const FIRST_SAVED = 6;
const LAST_SAVED = 15;
/** An instruction that saves or restores a group of registers. */
const GROUP_BYTES = 6;

/** Where a tail call enters the next program, in bytes: behind the nop and the set-up of the count, which it keeps. */
export const TAIL_CALL_ENTRY = 12;
/** Where a trampoline returns to: behind the nop that became a branch to it. */
export const PATCH_BYTES = 6;

/** The count of tail calls in this function's frame, and where its callees look for theirs, as displacements of %r15. */
export function countOffset(s: FunctionState): number {
  return s.frameBytes + COUNT;
}
export const CALLEE_COUNT = COUNT;

export function emitPrologue(s: FunctionState): void {
  const { code, fn } = s;
  const needsStack = s.walk === 'first' || s.usesMemory || s.calls;
  s.frameBytes = needsStack ? CALLER_FRAME - STACK_TOP + align(fn.stackDepth, 8) : 0;
  // A nop that a trampoline's branch replaces.
  branchLong(code, 0, s.distanceTo(s.layout.plt));
  if (fn.isSubprogram) skip(s, TAIL_CALL_ENTRY - PATCH_BYTES);
  else ss(code, XC, COUNT_BYTES, STACK, COUNT, STACK, COUNT);
  if (fn.exceptionCallback) {
    // The boundary's stack pointer is the second argument; its registers are restored in the end.
    rre(code, LGR, STACK, MACHINE_REGISTER[2]!);
    code.named |= CALLEE_SAVED;
  } else saveRegisters(s);
  setLiteralBase(s);
  if (needsStack) {
    rre(code, LGR, WORK1, STACK);
    rs(code, LA, FRAME_POINTER, STACK, STACK_TOP);
    ri(code, AGHI, STACK, -s.frameBytes);
    rxy(code, STG, WORK1, NONE, STACK, BACK_CHAIN);
  }
}

/** The address behind `basr` serves where all literals are within its reach, else the pools' own start. */
function setLiteralBase(s: FunctionState): void {
  if (s.walk !== 'first' && !s.needsLiterals) return;
  const { code, layout } = s;
  if (s.walk !== 'first' && isLongDisplacement(layout.size - (code.length + 2))) {
    rr(code, BASR, LITERALS, NONE);
    s.literalBase = code.length;
  } else {
    ril(code, LARL, LITERALS, s.distanceTo(layout.literals32));
    s.literalBase = layout.literals32;
  }
}

function saveRegisters(s: FunctionState): void {
  const all = s.fn.exceptionBoundary ? CALLEE_SAVED : 0;
  moveRegisters(s, s.code.named | all, STG, STMG, SAVED_R6);
}

/** Restores the saved registers, %r15 among them; a tail call does so, too. */
export function restoreRegisters(s: FunctionState): void {
  moveRegisters(s, s.code.named, LG, LMG, s.frameBytes + SAVED_R6);
}

/** Registers in groups: a single one between two that are used goes along. */
function moveRegisters(s: FunctionState, used: number, one: Rxy, group: Rsy, place: number): void {
  const { code } = s;
  if (s.walk === 'first') {
    // The registers are not known: there is room for a group of each.
    code.padTo(code.length + (LAST_SAVED - FIRST_SAVED + 1) * GROUP_BYTES);
    return;
  }
  let from = FIRST_SAVED;
  while (from <= LAST_SAVED) {
    if ((used & (1 << from)) === 0) {
      from++;
      continue;
    }
    let to = from;
    while (to < LAST_SAVED && (used & (6 << to)) !== 0) to++;
    const displacement = place + (from - FIRST_SAVED) * 8;
    if (from === to) rxy(code, one, from, NONE, STACK, displacement);
    else rsy(code, group, from, to, STACK, displacement);
    from = to + 1;
  }
}

/** Answers where the thunk lies that the code's branches to %r1 go through, 0 where there is none. */
export function emitEpilogue(s: FunctionState): number {
  const { code, options } = s;
  rre(code, LGR, RETURN, LINK);
  restoreRegisters(s);
  if (options.cpu.expolines) emitExpoline(s);
  branchRegister(code, 15, LINK);
  if (!options.cpu.expolines || !(s.walk === 'first' || s.calls)) return 0;
  const thunk = code.length;
  emitExpoline(s);
  branchRegister(code, 15, WORK1);
  return thunk;
}

/** In front of an indirect branch: executes it from where it stands, so that it is not predicted; never falls into it. */
function emitExpoline(s: FunctionState): void {
  ril(s.code, EXRL, NONE, 5);
  branchShort(s.code, 15, 0);
}

/** `bytes` bytes of nothing: a branch over them, then two-byte nops. */
export function skip(s: FunctionState, bytes: number): void {
  let left = bytes;
  if (left >= 4) {
    branchShort(s.code, 15, left >> 1);
    left -= 4;
  }
  for (; left >= 2; left -= 2) nop(s);
}

/** bcr 0,%r0 */
export function nop(s: FunctionState): void {
  branchRegister(s.code, 0, NONE);
}
