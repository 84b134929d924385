/** Shifts by numbers and by registers: with BMI2 by any register, without by CL alone, which is BPF's R4. */
import * as isa from '../../../isa/opcodes.js';
import { pop, push } from '../encode/control.js';
import { move } from '../encode/move.js';
import { RCX } from '../encode/registers.js';
import { SAR, SHL, SHR, shiftBy, shiftByCl, shiftNumber } from '../encode/shift.js';
import { MACHINE_REGISTER, SCRATCH } from '../registers.js';
import type { FunctionState } from '../state.js';

export function lowerShift(s: FunctionState, i: number, opcode: number): void {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const operation = operationOf(opcode);
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  if ((opcode & isa.X) === 0) {
    shiftNumber(s.code, operation, wide, rd, instructions.imm(i));
    return;
  }
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  if (rs === RCX) shiftByCl(s.code, operation, wide, rd);
  else if (s.options.cpu.bmi2) shiftBy(s.code, operation, wide, rd, rs);
  else shiftWithCl(s, operation, wide, rd, rs);
}

function operationOf(opcode: number): number {
  switch (opcode & isa.OP_MASK) {
    case isa.LSH:
      return SHL;
    case isa.RSH:
      return SHR;
    default:
      return SAR;
  }
}

/** Brings the count into RCX for as long as the shift takes; a value in RCX is shifted elsewhere. */
function shiftWithCl(s: FunctionState, operation: number, wide: boolean, rd: number, rs: number): void {
  const { code } = s;
  if (rd === RCX) {
    move(code, true, SCRATCH, RCX);
    move(code, true, RCX, rs);
    shiftByCl(code, operation, wide, SCRATCH);
    move(code, true, RCX, SCRATCH);
    return;
  }
  push(code, RCX);
  move(code, true, RCX, rs);
  shiftByCl(code, operation, wide, rd);
  pop(code, RCX);
}
