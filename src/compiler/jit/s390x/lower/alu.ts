/** Arithmetic: classes ALU (32 bits; the upper half is left alone, zero-extension.ts) and ALU64. */
import * as isa from '../../../isa/opcodes.js';
import { ril, rr, rre, rs, rsy } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { MACHINE_REGISTER, NONE, WORK0 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { swapBytes } from './byte-order.js';
import { lowerDivision } from './division.js';
import { lowerMove, lowerMoveNumber } from './move.js';
import { extendResult } from './zero-extension.js';

/** Lowers slot `i`; false for an opcode that is no arithmetic. */
export function lowerAlu(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const isRegister = (opcode & isa.X) !== 0;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  switch (opcode & isa.OP_MASK) {
    case isa.END:
      return swapBytes(s, i, opcode);
    case isa.MOV:
      return isRegister ? lowerMove(s, i, wide) : lowerMoveNumber(s, i, wide);
    case isa.DIV:
    case isa.MOD:
      return lowerDivision(s, i, opcode);
  }
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  if (isRegister) {
    const rm = MACHINE_REGISTER[instructions.src(i)]!;
    if (!(wide ? withRegister64(s, opcode, rd, rm) : withRegister32(s, opcode, rd, rm))) return false;
  } else {
    const imm = instructions.imm(i);
    if (!(wide ? withNumber64(s, opcode, rd, imm) : withNumber32(s, opcode, rd, imm))) return false;
  }
  if (!wide) extendResult(s, rd);
  return true;
}

function withRegister32({ code }: FunctionState, opcode: number, rd: number, rm: number): boolean {
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      rr(code, op.AR, rd, rm);
      return true;
    case isa.SUB:
      rr(code, op.SR, rd, rm);
      return true;
    case isa.MUL:
      rre(code, op.MSR, rd, rm);
      return true;
    case isa.OR:
      rr(code, op.OR, rd, rm);
      return true;
    case isa.AND:
      rr(code, op.NR, rd, rm);
      return true;
    case isa.XOR:
      rr(code, op.XR, rd, rm);
      return true;
    case isa.LSH:
      rs(code, op.SLL, rd, rm, 0);
      return true;
    case isa.RSH:
      rs(code, op.SRL, rd, rm, 0);
      return true;
    case isa.ARSH:
      rs(code, op.SRA, rd, rm, 0);
      return true;
    default:
      return false;
  }
}

function withRegister64({ code }: FunctionState, opcode: number, rd: number, rm: number): boolean {
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      rre(code, op.AGR, rd, rm);
      return true;
    case isa.SUB:
      rre(code, op.SGR, rd, rm);
      return true;
    case isa.MUL:
      rre(code, op.MSGR, rd, rm);
      return true;
    case isa.OR:
      rre(code, op.OGR, rd, rm);
      return true;
    case isa.AND:
      rre(code, op.NGR, rd, rm);
      return true;
    case isa.XOR:
      rre(code, op.XGR, rd, rm);
      return true;
    case isa.LSH:
      rsy(code, op.SLLG, rd, rd, rm, 0);
      return true;
    case isa.RSH:
      rsy(code, op.SRLG, rd, rd, rm, 0);
      return true;
    case isa.ARSH:
      rsy(code, op.SRAG, rd, rd, rm, 0);
      return true;
    default:
      return false;
  }
}

/** An operation that changes nothing has no code, but for those on masks. */
function withNumber32({ code }: FunctionState, opcode: number, rd: number, imm: number): boolean {
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      if (imm !== 0) ril(code, op.ALFI, rd, imm);
      return true;
    case isa.SUB:
      if (imm !== 0) ril(code, op.ALFI, rd, -imm | 0);
      return true;
    case isa.MUL:
      if (imm !== 1) ril(code, op.MSFI, rd, imm);
      return true;
    case isa.OR:
      ril(code, op.OILF, rd, imm);
      return true;
    case isa.AND:
      ril(code, op.NILF, rd, imm);
      return true;
    case isa.XOR:
      if (imm !== 0) ril(code, op.XILF, rd, imm);
      return true;
    case isa.LSH:
      if (imm !== 0) rs(code, op.SLL, rd, NONE, imm);
      return true;
    case isa.RSH:
      if (imm !== 0) rs(code, op.SRL, rd, NONE, imm);
      return true;
    case isa.ARSH:
      if (imm !== 0) rs(code, op.SRA, rd, NONE, imm);
      return true;
    case isa.NEG:
      rr(code, op.LCR, rd, rd);
      return true;
    default:
      return false;
  }
}

function withNumber64(s: FunctionState, opcode: number, rd: number, imm: number): boolean {
  const { code } = s;
  switch (opcode & isa.OP_MASK) {
    case isa.ADD:
      if (imm !== 0) ril(code, op.AGFI, rd, imm);
      return true;
    case isa.SUB:
      // -(-2^31) does not fit the signed immediate, but it does the unsigned one.
      if (imm === -0x8000_0000) ril(code, op.ALGFI, rd, imm);
      else if (imm !== 0) ril(code, op.AGFI, rd, -imm);
      return true;
    case isa.MUL:
      if (imm !== 1) ril(code, op.MSGFI, rd, imm);
      return true;
    case isa.OR:
      logical64(s, op.OG, op.OGR, rd, imm);
      return true;
    case isa.AND:
      logical64(s, op.NG, op.NGR, rd, imm);
      return true;
    case isa.XOR:
      logical64(s, op.XG, op.XGR, rd, imm);
      return true;
    case isa.LSH:
      if (imm !== 0) rsy(code, op.SLLG, rd, rd, NONE, imm);
      return true;
    case isa.RSH:
      if (imm !== 0) rsy(code, op.SRLG, rd, rd, NONE, imm);
      return true;
    case isa.ARSH:
      if (imm !== 0) rsy(code, op.SRAG, rd, rd, NONE, imm);
      return true;
    case isa.NEG:
      rre(code, op.LCGR, rd, rd);
      return true;
    default:
      return false;
  }
}

/** There are no logical immediates of 64 bits: the mask is a literal, in reach of a displacement or loaded first. */
function logical64(s: FunctionState, inMemory: op.Rxy, inRegister: op.Rre, rd: number, mask: number): void {
  if (s.canAddressLiteral(true)) {
    s.withLiteral64(inMemory, rd, mask);
    return;
  }
  s.needsLiterals = true;
  s.loadLiteral64(WORK0, mask >> 31, mask);
  rre(s.code, inRegister, rd, WORK0);
}
