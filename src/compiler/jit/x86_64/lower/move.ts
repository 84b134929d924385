/** Moves between registers: plain, sign-extending (cpu v4), into the user's address space, and onto per-CPU memory. */
import * as isa from '../../../isa/opcodes.js';
import { accumulatorNumber, arithmetic, arithmeticLongNumber, OR, test, XOR } from '../encode/arithmetic.js';
import { addPerCpu, move, moveIfEqual, signExtend16, signExtend32, signExtend8 } from '../encode/move.js';
import { RAX } from '../encode/registers.js';
import { ROL, SHL, shiftNumber } from '../encode/shift.js';
import { MACHINE_REGISTER, SCRATCH } from '../registers.js';
import type { FunctionState } from '../state.js';

/** Immediate of an address-space cast: from 0, the kernel's, to 1, the arena's. */
const TO_ARENA = 1 << 16;
/** Where each CPU keeps how far its per-CPU memory lies from the common addresses. */
const CPU_OFFSET = 'this_cpu_off';

export function lowerMove(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  const off = instructions.off(i);
  if (wide && off === isa.ADDR_SPACE_CAST && instructions.imm(i) === TO_ARENA) castToUser(s, rd, rs);
  else if (wide && off === isa.ADDR_PERCPU) addPerCpuBase(s, rd, rs);
  else if (off === 0) {
    if (!wide || rd !== rs) move(s.code, wide, rd, rs);
  } else if (off === 8) signExtend8(s.code, wide, rd, rs);
  else if (off === 16) signExtend16(s.code, wide, rd, rs);
  else if (off === 32 && wide) signExtend32(s.code, rd, rs);
  else return false;
  return true;
}

/** The user's address of a place in the arena: the arena's upper half over the pointer's lower one; NULL stays NULL. */
function castToUser(s: FunctionState, rd: number, rs: number): void {
  const { code } = s;
  if (rd !== rs) move(code, false, rd, rs);
  shiftNumber(code, SHL, true, rd, 32);
  orUpperHalf(s, rd);
  shiftNumber(code, ROL, true, rd, 32);
  arithmetic(code, XOR, true, SCRATCH, SCRATCH);
  test(code, false, rd, rd);
  moveIfEqual(code, rd, SCRATCH);
}

/** Puts the upper half of the user's addresses into the lower half of a register, always in 32 bits. */
function orUpperHalf(s: FunctionState, rd: number): void {
  const arena = s.options.link?.arena ?? null;
  const upper = arena?.user.hi ?? 0;
  if (rd === RAX) accumulatorNumber(s.code, OR, true, upper);
  else arithmeticLongNumber(s.code, OR, true, rd, upper);
  if (arena !== null) return;
  s.relocate(s.code.length - 4, 'R_X86_64_32S', { kind: 'arena', index: s.arenaMap, side: 'userUpperHalf' }, 0);
}

function addPerCpuBase(s: FunctionState, rd: number, rs: number): void {
  if (rd !== rs) move(s.code, true, rd, rs);
  const address = s.options.link?.symbol(CPU_OFFSET) ?? null;
  addPerCpu(s.code, rd, address?.lo ?? 0);
  if (address !== null) return;
  s.relocate(s.code.length - 4, 'R_X86_64_32S', { kind: 'kernel', name: CPU_OFFSET, addend: 0 }, 0);
}
