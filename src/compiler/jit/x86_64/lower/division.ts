/** Division and remainder, which the machine does in RAX and RDX alone: BPF's R0 and R3 step aside. */
import * as isa from '../../../isa/opcodes.js';
import { arithmetic, divide, divideSigned, extendSignToRdx, XOR } from '../encode/arithmetic.js';
import { pop, push } from '../encode/control.js';
import { loadSigned, move } from '../encode/move.js';
import { RAX, RDX } from '../encode/registers.js';
import { MACHINE_REGISTER, SCRATCH } from '../registers.js';
import type { FunctionState } from '../state.js';

export function lowerDivision(s: FunctionState, i: number, opcode: number): void {
  const { code } = s;
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  if (rd !== RAX) push(code, RAX);
  if (rd !== RDX) push(code, RDX);
  const divisor = loadDivisor(s, i, opcode);
  if (rd !== RAX) move(code, wide, RAX, rd);
  if (instructions.off(i) === 0) {
    arithmetic(code, XOR, false, RDX, RDX);
    divide(code, wide, divisor);
  } else {
    extendSignToRdx(code, wide);
    divideSigned(code, wide, divisor);
  }
  const result = (opcode & isa.OP_MASK) === isa.MOD ? RDX : RAX;
  if (rd !== result) move(code, wide, rd, result);
  if (rd !== RDX) pop(code, RDX);
  if (rd !== RAX) pop(code, RAX);
}

/** Answers the register that the divisor is in. */
function loadDivisor(s: FunctionState, i: number, opcode: number): number {
  const { instructions } = s.fn;
  if ((opcode & isa.X) === 0) {
    loadSigned(s.code, SCRATCH, instructions.imm(i));
    return SCRATCH;
  }
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  if (rs !== RAX && rs !== RDX) return rs;
  move(s.code, true, SCRATCH, rs);
  return SCRATCH;
}
