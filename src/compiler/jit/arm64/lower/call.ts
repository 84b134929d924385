/** Calls: of kernel functions and of the program's own, near and far; the helpers that are inlined; tail calls. */
import * as helper from '../../../targets/helper-ids.js';
import { PSEUDO_CALL } from '../../../isa/opcodes.js';
import { addOffset, distance, isNull, type Address } from '../../address.js';
import { add, addImmediate, cmp, mov } from '../encode/arithmetic.js';
import { lsl } from '../encode/bitfield.js';
import { branchIf, branchIfZero, branchLink, branchLinkRegister, branchRegister } from '../encode/branch.js';
import {
  maybeAddSubImmediate,
  maybeLongDistance,
  maybeScaledOffset,
  maybeShortDistance,
  type LongDistance,
} from '../encode/immediates.js';
import { loadIndexed, loadOffset, storeOffset } from '../encode/memory.js';
import { CS } from '../encode/registers.js';
import { readSystemRegister, SP_EL0 } from '../encode/system.js';
import { MACHINE_REGISTER, RESULT, TAIL_COUNT, TMP1, TMP2, TMP3 } from '../registers.js';
import type { SymbolRef } from '../../program.js';
import type { FunctionState } from '../state.js';
import { loadKernelAddress, loadNumber, loadSymbol, loadWideNumber } from './constants.js';
import { leaveBody, tailCallEntry } from './frame.js';

/** Most tail calls in a row (MAX_TAIL_CALL_CNT, since Linux 5.16). */
const MAX_TAIL_CALLS = 33;

/** Lowers a call; false where nothing says what it calls. */
export function lowerCall(s: FunctionState, i: number): boolean {
  const { instructions, symbols } = s.fn;
  const symbol = symbols.get(i);
  if (symbol !== undefined) callSymbol(s, symbol);
  else {
    const own = instructions.src(i) === PSEUDO_CALL;
    if (instructions.src(i) === 0 && inlineHelper(s, instructions.imm(i))) return true;
    const { link } = s.options;
    if (own && s.isAlone) {
      // A callback that never runs, removed: the call is one of NULL.
      callAddress(s, { hi: 0, lo: 0 });
      s.put(mov(true, RESULT, 0));
      return true;
    }
    if (link === null) return false;
    const target = own ? link.functions[instructions.off(i)] : addOffset(link.callBase, instructions.imm(i));
    if (target === undefined) return false;
    callAddress(s, target);
  }
  s.put(mov(true, RESULT, 0));
  return true;
}

/** The current task is in SP_EL0, and begins with its thread_info. */
function inlineHelper(s: FunctionState, id: number): boolean {
  switch (id) {
    case helper.GET_SMP_PROCESSOR_ID: {
      s.put(readSystemRegister(TMP1, SP_EL0));
      const near = maybeScaledOffset(s.options.offsets.threadCpu, 2);
      if (near !== null) s.put(loadOffset(2, RESULT, TMP1, near));
      else {
        loadNumber(s, true, TMP2, s.options.offsets.threadCpu);
        s.put(loadIndexed(2, RESULT, TMP1, TMP2));
      }
      return true;
    }
    case helper.GET_CURRENT_TASK:
    case helper.GET_CURRENT_TASK_BTF:
      s.put(readSystemRegister(RESULT, SP_EL0));
      return true;
    default:
      return false;
  }
}

/** One BL where the target is within its reach, else (or when no address is known here) the target in a register. */
function callAddress(s: FunctionState, target: Address): void {
  const near = s.address === null || isNull(target) ? null : reach(target, s.address, s.code.length);
  if (near !== null) {
    s.nearCalls.push(s.code.length);
    s.put(branchLink(near));
  } else {
    loadKernelAddress(s, TMP1, target);
    s.put(branchLinkRegister(TMP1));
  }
}

/** The distance to a target from a word of the code, or null where a BL does not reach. */
function reach(target: Address, code: Address, word: number): LongDistance | null {
  const bytes = distance(target, code) - 4 * word;
  return (bytes & 3) !== 0 ? null : maybeLongDistance(bytes / 4);
}

/** To be linked: the program's own functions lie close to each other, the kernel's may lie anywhere. */
function callSymbol(s: FunctionState, symbol: SymbolRef): void {
  if (symbol.kind === 'function') {
    s.relocate('R_AARCH64_CALL26', symbol);
    s.put(branchLink(maybeLongDistance(0)!));
  } else {
    loadSymbol(s, TMP1, symbol);
    s.put(branchLinkRegister(TMP1));
  }
}

/**
 * bpf_tail_call(ctx, array, index): leaves this function's frame and jumps into array->ptrs[index], behind its set-up of
 * frame and count. Goes on behind the call where the index is out of range, the slot is empty or the count is used up.
 */
export function lowerTailCall(s: FunctionState): void {
  const { offsets, cpu } = s.options;
  const array = MACHINE_REGISTER[2]!;
  const slot = MACHINE_REGISTER[3]!;
  loadWideNumber(s, TMP1, 0, offsets.arrayMaxEntries);
  s.put(loadIndexed(2, TMP1, array, TMP1));
  s.put(mov(false, slot, slot));
  s.put(cmp(false, slot, TMP1));
  const outOfRange = skip(s);

  loadWideNumber(s, TMP1, 0, MAX_TAIL_CALLS);
  s.put(loadOffset(3, TMP3, TAIL_COUNT, maybeScaledOffset(0, 3)!));
  s.put(cmp(true, TMP3, TMP1));
  const tooMany = skip(s);
  s.put(addImmediate(true, TMP3, TMP3, maybeAddSubImmediate(1)!));

  loadWideNumber(s, TMP1, 0, offsets.arrayPointers);
  s.put(add(true, TMP1, array, TMP1));
  s.put(lsl(true, TMP2, slot, 3));
  s.put(loadIndexed(3, TMP2, TMP1, TMP2));
  const empty = skip(s);
  s.put(storeOffset(3, TMP3, TAIL_COUNT, maybeScaledOffset(0, 3)!));

  leaveBody(s);
  loadWideNumber(s, TMP1, 0, offsets.programFunction);
  s.put(loadIndexed(3, TMP1, TMP2, TMP1));
  s.put(addImmediate(true, TMP1, TMP1, maybeAddSubImmediate(tailCallEntry(cpu))!));
  s.put(branchRegister(TMP1));

  const { words, length } = s.code;
  words[outOfRange] = branchIf(CS, maybeShortDistance(length - outOfRange)!);
  words[tooMany] = branchIf(CS, maybeShortDistance(length - tooMany)!);
  words[empty] = branchIfZero(true, TMP2, maybeShortDistance(length - empty)!);
}

/** A place for a branch behind the tail call; answers its index. */
function skip(s: FunctionState): number {
  s.put(0);
  return s.code.length - 1;
}
