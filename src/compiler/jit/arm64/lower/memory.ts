/**
 * Loads and stores. Offsets that fit go into the instruction; accesses to the BPF stack are addressed from SP, which lies
 * below it, so that their offsets are positive and do fit (since Linux 5.19). Loads that may fault get an entry in the
 * exception table, and so does every access to an arena.
 */
import * as isa from '../../../isa/opcodes.js';
import { add } from '../encode/arithmetic.js';
import { maybeScaledOffset } from '../encode/immediates.js';
import * as mem from '../encode/memory.js';
import { SP } from '../encode/registers.js';
import { ARENA_BASE, FRAME_POINTER, MACHINE_REGISTER, TMP1, TMP2 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadNumber } from './constants.js';

/** What Linux writes where a fault clears nothing: x5, which holds no BPF register. */
export const CLEARS_NOTHING = 5;

/** Logarithm of the access size by opcode bits 3–4: W, H, B, DW. */
const SIZE_LOG2 = [2, 1, 0, 3] as const;

function sizeLog2(opcode: number): number {
  return SIZE_LOG2[(opcode & isa.SIZE_MASK) >> 3]!;
}

/** rd = *(rn + off). False for an opcode that is no load. */
export function lowerLoad(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const mode = opcode & isa.MODE_MASK;
  const signed = mode === isa.MEMSX || mode === isa.PROBE_MEMSX;
  if (!signed && mode !== isa.MEM && mode !== isa.PROBE_MEM && mode !== isa.PROBE_MEM32) return false;
  const size = sizeLog2(opcode);
  if (signed && size === 3) return false;
  const rt = MACHINE_REGISTER[instructions.dst(i)]!;
  const base = baseRegister(s, MACHINE_REGISTER[instructions.src(i)]!, mode);
  const off = instructions.off(i);
  const near = maybeScaledOffset(base === FRAME_POINTER ? off + s.stackBytes : off, size);
  if (near !== null) {
    const rn = base === FRAME_POINTER ? SP : base;
    s.put(signed ? mem.loadSignedOffset(size, rt, rn, near) : mem.loadOffset(size, rt, rn, near));
  } else {
    loadNumber(s, true, TMP1, off);
    s.put(signed ? mem.loadSignedIndexed(size, rt, base, TMP1) : mem.loadIndexed(size, rt, base, TMP1));
  }
  if (mode !== isa.MEM && mode !== isa.MEMSX) s.faults.push(s.code.length - 1, rt);
  return true;
}

/** *(rn + off) = rt. False for an opcode that is no store of a register. */
export function lowerStore(s: FunctionState, i: number, opcode: number): boolean {
  return storeRegister(s, i, opcode, MACHINE_REGISTER[s.fn.instructions.src(i)]!, TMP1);
}

/** *(rn + off) = imm, through a register. */
export function lowerStoreNumber(s: FunctionState, i: number, opcode: number): boolean {
  return storeRegister(s, i, opcode, -1, TMP2);
}

/** `rt` of -1 stands for the immediate, brought into TMP1; `scratch` takes an offset that does not fit. */
function storeRegister(s: FunctionState, i: number, opcode: number, rt: number, scratch: number): boolean {
  const { instructions } = s.fn;
  const mode = opcode & isa.MODE_MASK;
  if (mode !== isa.MEM && mode !== isa.PROBE_MEM32) return false;
  const size = sizeLog2(opcode);
  const base = baseRegister(s, MACHINE_REGISTER[instructions.dst(i)]!, mode);
  const off = instructions.off(i);
  const value = rt < 0 ? TMP1 : rt;
  if (rt < 0) loadNumber(s, true, TMP1, instructions.imm(i));
  const near = maybeScaledOffset(base === FRAME_POINTER ? off + s.stackBytes : off, size);
  if (near !== null) s.put(mem.storeOffset(size, value, base === FRAME_POINTER ? SP : base, near));
  else {
    loadNumber(s, true, scratch, off);
    s.put(mem.storeIndexed(size, value, base, scratch));
  }
  if (mode === isa.PROBE_MEM32) s.faults.push(s.code.length - 1, CLEARS_NOTHING);
  return true;
}

/** The register an access goes through: an arena's pointers are 32 bits from its start. */
function baseRegister(s: FunctionState, rn: number, mode: number): number {
  if (mode !== isa.PROBE_MEM32) return rn;
  s.put(add(true, TMP2, rn, ARENA_BASE));
  return TMP2;
}
