/** Atomic operations on memory: the interlocked-access facility's instructions (z196), compare-and-swap for the others. */
import * as isa from '../../../isa/opcodes.js';
import { branchRegister, branchShort, rre, rsy, rxy } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { ZEROES_NOTHING } from '../exception-table.js';
import { LINK, MACHINE_REGISTER, NONE, WORK0, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { nop } from './frame.js';
import { endProbe, loadArenaBase } from './probe.js';
import { extendResult } from './zero-extension.js';

/** A branch mask that makes bcr a memory barrier (fast-BCR-serialization). */
const SERIALIZE = 14;
/** Condition code 1: compare-and-swap found another value. */
const DIFFERS = 4;

/** Lowers an atomic operation; false for an unknown one. */
export function lowerAtomic(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.SIZE_MASK) === isa.DW;
  if (!wide && (opcode & isa.SIZE_MASK) !== isa.W) return false;
  const operation = instructions.imm(i);
  const load = operation === isa.XCHG || operation === isa.CMPXCHG ? null : loadAnd(wide, operation & ~isa.FETCH);
  if (load === undefined) return false;
  const inArena = (opcode & isa.MODE_MASK) === isa.PROBE_ATOMIC;
  const base = baseRegister(s, i, inArena);
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  const off = instructions.off(i);
  if (load !== null) fetchAndUpdate(s, load, wide, (operation & isa.FETCH) !== 0, inArena, rs, base, off);
  else if (operation === isa.XCHG) exchange(s, wide, inArena, rs, base, off);
  else compareExchange(s, wide, inArena, rs, base, off);
  s.usesMemory = true;
  return true;
}

/** Atomics have a base and no index: an arena's start is added up with the pointer. */
function baseRegister(s: FunctionState, i: number, inArena: boolean): number {
  const rd = MACHINE_REGISTER[s.fn.instructions.dst(i)]!;
  if (!inArena) return rd;
  loadArenaBase(s);
  rre(s.code, op.AGR, WORK1, rd);
  return WORK1;
}

function loadAnd(wide: boolean, operation: number): op.Rsy | undefined {
  switch (operation) {
    case isa.ADD:
      return wide ? op.LAALG : op.LAAL;
    case isa.AND:
      return wide ? op.LANG : op.LAN;
    case isa.OR:
      return wide ? op.LAOG : op.LAO;
    case isa.XOR:
      return wide ? op.LAXG : op.LAX;
    default:
      return undefined;
  }
}

/** The old value is loaded over `rs`, or out of the way where nobody wants it. */
function fetchAndUpdate(
  s: FunctionState,
  opcode: op.Rsy,
  wide: boolean,
  fetch: boolean,
  inArena: boolean,
  rs: number,
  base: number,
  off: number,
): void {
  const { code } = s;
  const at = code.length;
  rsy(code, opcode, fetch ? rs : WORK0, rs, base, off);
  if (inArena) endProbe(s, at);
  if (!fetch) return;
  branchRegister(code, SERIALIZE, NONE);
  if (!wide) extendResult(s, rs);
}

/** Tries to swap until the value has not changed since it was read. Both accesses may fault, and go on behind the whole. */
function exchange(s: FunctionState, wide: boolean, inArena: boolean, rs: number, base: number, off: number): void {
  const { code } = s;
  const load = code.length;
  rxy(code, wide ? op.LG : op.LY, WORK0, NONE, base, off);
  const behindLoad = code.length;
  if (inArena) nop(s);
  const swap = code.length;
  rsy(code, wide ? op.CSG : op.CSY, WORK0, rs, base, off);
  const behindSwap = code.length;
  if (inArena) nop(s);
  branchShort(code, DIFFERS, s.distanceTo(swap));
  rre(code, wide ? op.LGR : op.LLGFR, rs, WORK0);
  if (!inArena) return;
  s.faults.push(load, behindLoad, code.length, ZEROES_NOTHING);
  s.faults.push(swap, behindSwap, code.length, ZEROES_NOTHING);
}

/** Stores `rs` where memory equals R0; R0 becomes what was there. */
function compareExchange(
  s: FunctionState,
  wide: boolean,
  inArena: boolean,
  rs: number,
  base: number,
  off: number,
): void {
  const at = s.code.length;
  rsy(s.code, wide ? op.CSG : op.CSY, LINK, rs, base, off);
  if (inArena) endProbe(s, at);
}
