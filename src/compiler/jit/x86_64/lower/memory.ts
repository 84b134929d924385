/**
 * Loads and stores. Accesses to an arena have its base as their index and an entry in the exception table each. Loads through kernel pointers,
 * which may be anything, are guarded (probe.ts).
 */
import * as isa from '../../../isa/opcodes.js';
import * as mem from '../encode/memory.js';
import { ARENA_BASE, MACHINE_REGISTER } from '../registers.js';
import type { FunctionState } from '../state.js';
import { lowerProbe } from './probe.js';

/** Where a fault zeroes no register. */
export const CLEARS_NOTHING = -1;

/** Logarithm of the access size by opcode bits 3–4: W, H, B, DW. */
const SIZE_LOG2 = [2, 1, 0, 3] as const;

function sizeLog2(opcode: number): number {
  return SIZE_LOG2[(opcode & isa.SIZE_MASK) >> 3]!;
}

/** rd = *(base + off). False for an opcode that is no load. */
export function lowerLoad(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const size = sizeLog2(opcode);
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const base = MACHINE_REGISTER[instructions.src(i)]!;
  const off = instructions.off(i);
  switch (opcode & isa.MODE_MASK) {
    case isa.MEM:
      mem.load(s.code, size, rd, base, off);
      return true;
    case isa.MEMSX:
      if (size === 3) return false;
      mem.loadSigned(s.code, size, rd, base, off);
      return true;
    case isa.PROBE_MEM:
      lowerProbe(s, mem.load, size, rd, base, off);
      return true;
    case isa.PROBE_MEMSX:
      if (size === 3) return false;
      lowerProbe(s, mem.loadSigned, size, rd, base, off);
      return true;
    case isa.PROBE_MEM32: {
      const at = s.code.length;
      mem.loadIndexed(s.code, size, rd, base, ARENA_BASE, off);
      s.mayFault(at, rd);
      return true;
    }
    default:
      return false;
  }
}

/** *(base + off) = rs. False for an opcode that is no store of a register. */
export function lowerStore(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  const base = MACHINE_REGISTER[instructions.dst(i)]!;
  const off = instructions.off(i);
  const mode = opcode & isa.MODE_MASK;
  if (mode === isa.MEM) mem.store(s.code, sizeLog2(opcode), rs, base, off);
  else if (mode === isa.PROBE_MEM32) {
    const at = s.code.length;
    mem.storeIndexed(s.code, sizeLog2(opcode), rs, base, ARENA_BASE, off);
    s.mayFault(at, CLEARS_NOTHING);
  } else return false;
  return true;
}

/** *(base + off) = imm. False for an opcode that is no store of a number. */
export function lowerStoreNumber(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const base = MACHINE_REGISTER[instructions.dst(i)]!;
  const off = instructions.off(i);
  const imm = instructions.imm(i);
  const mode = opcode & isa.MODE_MASK;
  if (mode === isa.MEM) mem.storeNumber(s.code, sizeLog2(opcode), base, off, imm);
  else if (mode === isa.PROBE_MEM32) {
    const at = s.code.length;
    mem.storeNumberIndexed(s.code, sizeLog2(opcode), base, ARENA_BASE, off, imm);
    s.mayFault(at, CLEARS_NOTHING);
  } else return false;
  return true;
}
