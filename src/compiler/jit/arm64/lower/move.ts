/** Moves between registers: plain, sign-extending (cpu v4), into the user's address space, and onto per-CPU memory. */
import * as isa from '../../../isa/opcodes.js';
import { add, mov, orr } from '../encode/arithmetic.js';
import { lsl, signExtend } from '../encode/bitfield.js';
import { branchIfZero } from '../encode/branch.js';
import { maybeShortDistance } from '../encode/immediates.js';
import { readSystemRegister, TPIDR_EL1 } from '../encode/system.js';
import { MACHINE_REGISTER, TMP1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { loadNumber, loadSymbolUpperHalf } from './constants.js';

/** Immediate of an address-space cast: from 0, the kernel's, to 1, the arena's. */
const TO_ARENA = 1 << 16;

export function lowerMove(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const rn = MACHINE_REGISTER[instructions.src(i)]!;
  const off = instructions.off(i);
  if (wide && off === isa.ADDR_SPACE_CAST && instructions.imm(i) === TO_ARENA) castToUser(s, rd, rn);
  else if (wide && off === isa.ADDR_PERCPU) addPerCpuBase(s, rd, rn);
  else if (off === 0) s.put(mov(wide, rd, rn));
  else if (off === 8 || off === 16 || off === 32) s.put(signExtend(wide, rd, rn, off));
  else return false;
  return true;
}

/** The user's address of a place in the arena: the arena's upper half over the pointer's lower one; NULL stays NULL. */
function castToUser(s: FunctionState, rd: number, rn: number): void {
  s.put(mov(false, TMP1, rn));
  const arena = s.options.link?.arena ?? null;
  if (arena === null) loadSymbolUpperHalf(s, rd, { kind: 'arena', index: s.arenaMap, side: 'user' });
  else loadNumber(s, false, rd, arena.user.hi);
  s.put(lsl(true, rd, rd, 32));
  s.put(branchIfZero(true, TMP1, maybeShortDistance(2)!));
  s.put(orr(true, TMP1, rd, TMP1));
  s.put(mov(true, rd, TMP1));
}

/** A kernel at EL1 keeps its per-CPU base in TPIDR_EL1 (at EL2, with virtualization host extensions, in TPIDR_EL2). */
function addPerCpuBase(s: FunctionState, rd: number, rn: number): void {
  if (rd !== rn) s.put(mov(true, rd, rn));
  s.put(readSystemRegister(TMP1, TPIDR_EL1));
  s.put(add(true, rd, rd, TMP1));
}
