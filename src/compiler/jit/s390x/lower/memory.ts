/**
 * Loads and stores. All have displacements of 20 bits, which any BPF offset fits. The pointer is the index and the arena's
 * start, where there is one, the base.
 */
import * as isa from '../../../isa/opcodes.js';
import { ri, ril, rxy } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { MACHINE_REGISTER, NONE, WORK0, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { endProbe, loadArenaBase, mayFault } from './probe.js';

/** By opcode bits 3–4: W, H, B, DW. */
const LOAD = [op.LLGF, op.LLGH, op.LLGC, op.LG] as const;
const LOAD_SIGNED = [op.LGF, op.LGH, op.LGB, null] as const;
const STORE = [op.STY, op.STHY, op.STCY, op.STG] as const;

function sizeIndex(opcode: number): number {
  return (opcode & isa.SIZE_MASK) >> 3;
}

/** rd = *(rn + off). False for an opcode that is no load. */
export function lowerLoad(s: FunctionState, i: number, opcode: number): boolean {
  const { code, fn } = s;
  const mode = opcode & isa.MODE_MASK;
  const load = loadOpcode(opcode, mode);
  if (load === null) return false;
  const rd = MACHINE_REGISTER[fn.instructions.dst(i)]!;
  const rn = MACHINE_REGISTER[fn.instructions.src(i)]!;
  const base = baseRegister(s, mode);
  const at = code.length;
  rxy(code, load, rd, rn, base, fn.instructions.off(i));
  if (mayFault(mode)) endProbe(s, at, rd);
  s.usesMemory = true;
  return true;
}

function loadOpcode(opcode: number, mode: number): op.Rxy | null {
  switch (mode) {
    case isa.MEM:
    case isa.PROBE_MEM:
    case isa.PROBE_MEM32:
      return LOAD[sizeIndex(opcode)]!;
    case isa.MEMSX:
    case isa.PROBE_MEMSX:
      return LOAD_SIGNED[sizeIndex(opcode)]!;
    default:
      return null;
  }
}

/** *(rd + off) = rn. False for an opcode that is no store of a register. */
export function lowerStore(s: FunctionState, i: number, opcode: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  if (mode !== isa.MEM && mode !== isa.PROBE_MEM32) return false;
  store(s, i, opcode, MACHINE_REGISTER[s.fn.instructions.src(i)]!);
  return true;
}

/** *(rd + off) = imm, through a register. */
export function lowerStoreNumber(s: FunctionState, i: number, opcode: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  if (mode !== isa.MEM && mode !== isa.PROBE_MEM32) return false;
  loadNumber(s, opcode, s.fn.instructions.imm(i));
  store(s, i, opcode, WORK0);
  return true;
}

function loadNumber({ code }: FunctionState, opcode: number, imm: number): void {
  switch (opcode & isa.SIZE_MASK) {
    case isa.B:
      ri(code, op.LHI, WORK0, imm & 0xff);
      return;
    case isa.H:
      ri(code, op.LHI, WORK0, imm);
      return;
    case isa.W:
      ril(code, op.LLILF, WORK0, imm);
      return;
    default:
      ril(code, op.LGFI, WORK0, imm);
  }
}

function store(s: FunctionState, i: number, opcode: number, value: number): void {
  const { code, fn } = s;
  const mode = opcode & isa.MODE_MASK;
  const rd = MACHINE_REGISTER[fn.instructions.dst(i)]!;
  const base = baseRegister(s, mode);
  const at = code.length;
  rxy(code, STORE[sizeIndex(opcode)]!, value, rd, base, fn.instructions.off(i));
  if (mayFault(mode)) endProbe(s, at);
  s.usesMemory = true;
}

/** What is added to an access's pointer: an arena's pointers are 32 bits from its start. */
function baseRegister(s: FunctionState, mode: number): number {
  if (mode !== isa.PROBE_MEM32) return NONE;
  loadArenaBase(s);
  return WORK1;
}
