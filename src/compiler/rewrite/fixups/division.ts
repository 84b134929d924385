/**
 * Makes division by zero and overflow in division defined (zero: since Linux 4.x; signed: since 6.6; by -1: since 6.12).
 *
 * BPF says x / 0 = 0 and x % 0 = x, and that the lowest number divided by -1 is itself; CPUs trap or differ. Divisors in
 * registers are tested first. The signed tests add 1 to the divisor, so that -1 and 0 become 0 and 1, and one unsigned
 * comparison sends every other divisor straight to the division:
 *
 *     ax = src;  ax += 1;  if ax > 1 goto divide;  …
 *
 * A constant divisor of -1 is a negation, or remainder 0.
 */
import * as isa from '../../isa/opcodes.js';
import { Sequence } from '../sequence.js';
import type { Draft } from '../draft.js';
import type { Fixup } from './fixup.js';

/** Offset of the signed variants of DIV and MOD. */
const SIGNED = 1;

export const guardDivision: Fixup = ({ draft }, i) => {
  const { insns } = draft;
  const opcode = insns.opcode(i);
  const cls = opcode & isa.CLASS_MASK;
  const operation = opcode & isa.OP_MASK;
  if ((cls !== isa.ALU && cls !== isa.ALU64) || (operation !== isa.DIV && operation !== isa.MOD)) return null;
  const isSigned = insns.off(i) === SIGNED;
  if ((opcode & isa.X) === 0) {
    return isSigned && insns.imm(i) === -1 ? byMinusOne(cls, operation, insns.dst(i)) : null;
  }
  if (isSigned) return operation === isa.DIV ? signedQuotient(draft, i) : signedRemainder(draft, i);
  return operation === isa.DIV ? quotient(draft, i) : remainder(draft, i);
};

function byMinusOne(cls: number, operation: number, dst: number): Sequence {
  const s = new Sequence();
  return operation === isa.DIV ? s.emit(cls | isa.NEG | isa.K, dst, 0, 0, 0) : s.mov32Imm(dst, 0);
}

/** Class of the comparison that looks at as many bits as the division. */
function jumpClass(opcode: number): number {
  return (opcode & isa.CLASS_MASK) === isa.ALU64 ? isa.JMP : isa.JMP32;
}

function quotient(draft: Draft, i: number): Sequence {
  const { insns } = draft;
  const dst = insns.dst(i);
  return new Sequence()
    .emit(jumpClass(insns.opcode(i)) | isa.JNE | isa.K, insns.src(i), 0, 2, 0)
    .alu32(isa.XOR, dst, dst)
    .ja(1)
    .copy(draft, i);
}

function remainder(draft: Draft, i: number): Sequence {
  const { insns } = draft;
  const cls = jumpClass(insns.opcode(i));
  const is64 = cls === isa.JMP;
  const s = new Sequence().emit(cls | isa.JEQ | isa.K, insns.src(i), 0, is64 ? 1 : 2, 0).copy(draft, i);
  return is64 ? s : s.ja(1).mov32(insns.dst(i), insns.dst(i));
}

function signedQuotient(draft: Draft, i: number): Sequence {
  const { insns } = draft;
  const jump = jumpClass(insns.opcode(i));
  const alu = insns.opcode(i) & isa.CLASS_MASK;
  const dst = insns.dst(i);
  return new Sequence()
    .mov64(isa.AX, insns.src(i))
    .emit(alu | isa.ADD | isa.K, isa.AX, 0, 0, 1)
    .emit(jump | isa.JGT | isa.K, isa.AX, 0, 4, 1)
    .emit(jump | isa.JEQ | isa.K, isa.AX, 0, 1, 0)
    .emit(alu | isa.MOV | isa.K, dst, 0, 0, 0)
    .emit(alu | isa.NEG | isa.K, dst, 0, 0, 0)
    .ja(1)
    .copy(draft, i);
}

function signedRemainder(draft: Draft, i: number): Sequence {
  const { insns } = draft;
  const jump = jumpClass(insns.opcode(i));
  const alu = insns.opcode(i) & isa.CLASS_MASK;
  const is64 = alu === isa.ALU64;
  const dst = insns.dst(i);
  const s = new Sequence()
    .mov64(isa.AX, insns.src(i))
    .emit(alu | isa.ADD | isa.K, isa.AX, 0, 0, 1)
    .emit(jump | isa.JGT | isa.K, isa.AX, 0, 3, 1)
    .emit(jump | isa.JEQ | isa.K, isa.AX, 0, is64 ? 3 : 4, 1)
    .mov32Imm(dst, 0)
    .ja(1)
    .copy(draft, i);
  return is64 ? s : s.ja(1).mov32(dst, dst);
}
