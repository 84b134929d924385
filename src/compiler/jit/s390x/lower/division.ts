/**
 * Division and remainder. The machine divides the pair %r0:%r1, which leaves the remainder in %r0 and the quotient in %r1;
 * signed division takes its dividend from %r1 alone.
 */
import * as isa from '../../../isa/opcodes.js';
import { ri, rr, rre } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { MACHINE_REGISTER, WORK0, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { extendResult } from './zero-extension.js';

/** Lowers slot `i`, which is a division or a remainder. An offset of 1 says signed (cpu v4); false for any other. */
export function lowerDivision(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const wide = (opcode & isa.CLASS_MASK) === isa.ALU64;
  const isRemainder = (opcode & isa.OP_MASK) === isa.MOD;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const off = instructions.off(i);
  if (off !== 0 && off !== 1) return false;
  const signed = off === 1;
  if ((opcode & isa.X) !== 0) byRegister(s, wide, signed, rd, MACHINE_REGISTER[instructions.src(i)]!);
  else {
    const imm = instructions.imm(i);
    if (imm === 1) {
      byOne(s, wide, isRemainder, rd);
      return true;
    }
    byNumber(s, wide, signed, rd, imm);
  }
  rre(s.code, wide ? op.LGR : op.LLGFR, rd, isRemainder ? WORK0 : WORK1);
  return true;
}

/** x / 1 is x and x % 1 is 0, signed or not. */
function byOne(s: FunctionState, wide: boolean, isRemainder: boolean, rd: number): void {
  if (isRemainder) ri(s.code, op.LGHI, rd, 0);
  else if (!wide) extendResult(s, rd);
}

/** Brings the dividend into the pair. */
function loadDividend({ code }: FunctionState, wide: boolean, signed: boolean, rd: number): void {
  if (wide) {
    if (!signed) ri(code, op.LGHI, WORK0, 0);
    rre(code, op.LGR, WORK1, rd);
  } else if (signed) rre(code, op.LGFR, WORK1, rd);
  else {
    rr(code, op.XR, WORK0, WORK0);
    rr(code, op.LR, WORK1, rd);
  }
}

function byRegister(s: FunctionState, wide: boolean, signed: boolean, rd: number, rm: number): void {
  loadDividend(s, wide, signed, rd);
  if (wide) rre(s.code, signed ? op.DSGR : op.DLGR, WORK0, rm);
  else rre(s.code, signed ? op.DSGFR : op.DLR, WORK0, rm);
}

/** The divisor is a literal; beyond the reach of a displacement it is loaded over the dividend, which is in the pair by then. */
function byNumber(s: FunctionState, wide: boolean, signed: boolean, rd: number, imm: number): void {
  loadDividend(s, wide, signed, rd);
  if (s.canAddressLiteral(wide)) {
    if (wide) s.withLiteral64(signed ? op.DSG : op.DLG, WORK0, imm);
    else s.withLiteral32(signed ? op.DSGF : op.DL, WORK0, imm);
    return;
  }
  s.needsLiterals = true;
  if (wide) s.loadLiteral64(rd, imm >> 31, imm);
  else s.loadLiteral32(signed ? op.LGFRL : op.LRL, rd, imm);
  if (wide) rre(s.code, signed ? op.DSGR : op.DLGR, WORK0, rd);
  else rre(s.code, signed ? op.DSGR : op.DLR, WORK0, rd);
}
