/** Atomic operations on memory: Armv8.1's instructions where the CPU has them, loops of exclusive accesses elsewhere. */
import * as isa from '../../../isa/opcodes.js';
import * as a from '../encode/arithmetic.js';
import * as atom from '../encode/atomic.js';
import { branchIfNotZero } from '../encode/branch.js';
import { maybeShortDistance } from '../encode/immediates.js';
import { DMB_ISH } from '../encode/system.js';
import { ARENA_BASE, MACHINE_REGISTER, RESULT, TMP1, TMP2, TMP3 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadNumber } from './constants.js';
import { CLEARS_NOTHING } from './memory.js';

/** BPF's AX, which exclusive loops keep the operand in. */
const HIDDEN = MACHINE_REGISTER[isa.AX]!;

/** Lowers an atomic operation; false for one that this CPU's code cannot express. */
export function lowerAtomic(s: FunctionState, i: number, opcode: number): boolean {
  const arena = (opcode & isa.MODE_MASK) === isa.PROBE_ATOMIC;
  const { lse } = s.options.cpu;
  if (arena && !lse) return false;
  const wide = (opcode & isa.SIZE_MASK) === isa.DW;
  const rs = MACHINE_REGISTER[s.fn.instructions.src(i)]!;
  const rn = address(s, i, arena);
  const operation = s.fn.instructions.imm(i);
  const known = lse ? withLse(s, wide, operation, rs, rn) : withExclusives(s, wide, operation, rs, rn);
  if (known && arena) s.faults.push(s.code.length - 1, CLEARS_NOTHING);
  return known;
}

/** The address goes into a register whole: atomics take no offset. */
function address(s: FunctionState, i: number, arena: boolean): number {
  const base = MACHINE_REGISTER[s.fn.instructions.dst(i)]!;
  const off = s.fn.instructions.off(i);
  let rn = base;
  if (off !== 0) {
    loadNumber(s, true, TMP1, off);
    s.put(a.add(true, TMP1, TMP1, rn));
    rn = TMP1;
  }
  if (arena) {
    s.put(a.add(true, TMP1, rn, ARENA_BASE));
    rn = TMP1;
  }
  return rn;
}

function withLse(s: FunctionState, wide: boolean, operation: number, rs: number, rn: number): boolean {
  switch (operation) {
    case isa.ADD:
      s.put(atom.atomicStore(wide, atom.LSE_ADD, rs, rn));
      return true;
    case isa.AND:
      s.put(a.mvn(wide, TMP2, rs));
      s.put(atom.atomicStore(wide, atom.LSE_CLR, TMP2, rn));
      return true;
    case isa.OR:
      s.put(atom.atomicStore(wide, atom.LSE_SET, rs, rn));
      return true;
    case isa.XOR:
      s.put(atom.atomicStore(wide, atom.LSE_EOR, rs, rn));
      return true;
    case isa.ADD | isa.FETCH:
      s.put(atom.atomicFetch(wide, atom.LSE_ADD, rs, rs, rn));
      return true;
    case isa.AND | isa.FETCH:
      s.put(a.mvn(wide, TMP2, rs));
      s.put(atom.atomicFetch(wide, atom.LSE_CLR, TMP2, rs, rn));
      return true;
    case isa.OR | isa.FETCH:
      s.put(atom.atomicFetch(wide, atom.LSE_SET, rs, rs, rn));
      return true;
    case isa.XOR | isa.FETCH:
      s.put(atom.atomicFetch(wide, atom.LSE_EOR, rs, rs, rn));
      return true;
    case isa.XCHG:
      s.put(atom.atomicFetch(wide, atom.LSE_SWP, rs, rs, rn));
      return true;
    case isa.CMPXCHG:
      s.put(atom.compareAndSwap(wide, RESULT, rs, rn));
      return true;
    default:
      return false;
  }
}

function withExclusives(s: FunctionState, wide: boolean, operation: number, rs: number, rn: number): boolean {
  if (operation === isa.XCHG) exchange(s, wide, rs, rn);
  else if (operation === isa.CMPXCHG) compareExchange(s, wide, rs, rn);
  else {
    const fetch = (operation & isa.FETCH) !== 0;
    const combine = COMBINE[operation & ~isa.FETCH];
    if (combine === undefined) return false;
    if (fetch) fetchAndUpdate(s, wide, combine, rs, rn);
    else update(s, wide, combine, rs, rn);
  }
  return true;
}

type Combine = (wide: boolean, rd: number, rn: number, rm: number) => number;
const COMBINE: Readonly<Record<number, Combine>> = {
  [isa.ADD]: a.add,
  [isa.AND]: a.and,
  [isa.OR]: a.orr,
  [isa.XOR]: a.eor,
};

/** Tries again from `words` back where the exclusive store failed (its status is in TMP3). */
function retry(s: FunctionState, words: number): void {
  s.put(branchIfNotZero(false, TMP3, maybeShortDistance(-words)!));
}

function update(s: FunctionState, wide: boolean, combine: Combine, rs: number, rn: number): void {
  s.put(atom.loadExclusive(wide, TMP2, rn));
  s.put(combine(wide, TMP2, TMP2, rs));
  s.put(atom.storeExclusive(wide, TMP3, TMP2, rn));
  retry(s, 3);
}

/** With the old value in `rs`; fully ordered, by release and a barrier. */
function fetchAndUpdate(s: FunctionState, wide: boolean, combine: Combine, rs: number, rn: number): void {
  s.put(a.mov(wide, HIDDEN, rs));
  s.put(atom.loadExclusive(wide, rs, rn));
  s.put(combine(wide, TMP2, rs, HIDDEN));
  s.put(atom.storeReleaseExclusive(wide, TMP3, TMP2, rn));
  retry(s, 3);
  s.put(DMB_ISH);
}

function exchange(s: FunctionState, wide: boolean, rs: number, rn: number): void {
  s.put(a.mov(wide, TMP2, rs));
  s.put(atom.loadExclusive(wide, rs, rn));
  s.put(atom.storeReleaseExclusive(wide, TMP3, TMP2, rn));
  retry(s, 2);
  s.put(DMB_ISH);
}

/** Stores `rs` where memory equals R0; R0 becomes what was there. */
function compareExchange(s: FunctionState, wide: boolean, rs: number, rn: number): void {
  s.put(a.mov(wide, TMP2, RESULT));
  s.put(atom.loadExclusive(wide, RESULT, rn));
  s.put(a.eor(wide, TMP3, RESULT, TMP2));
  s.put(branchIfNotZero(wide, TMP3, maybeShortDistance(4)!));
  s.put(atom.storeReleaseExclusive(wide, TMP3, rs, rn));
  retry(s, 4);
  s.put(DMB_ISH);
}
