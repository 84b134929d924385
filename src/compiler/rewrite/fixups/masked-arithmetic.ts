/**
 * Masks the distance that pointers are moved by, for processes without CAP_PERFMON (since Linux 4.20, as of 5.12).
 *
 * The verifier knows how far the pointer may move; a processor that guesses wrong may come here with another distance,
 * which must then become 0:
 *
 *     ax = limit;  ax -= off;  ax |= off;  ax = -ax;  ax s>>= 63;  ax &= off;  ptr += ax
 *
 * `limit - off | off` is negative exactly where off lies outside of [0, limit], and the shift makes ~0 or 0 of its
 * negation. Distances that are negative on every path are turned around first, and the operation with them. A distance
 * that is the same constant on every path stands in the code instead.
 */
import * as isa from '../../isa/opcodes.js';
import { MASK_CONSTANT, MASK_NEGATIVE, MASK_NOTHING, MASK_SRC } from '../../verify/facts.js';
import { Sequence } from '../sequence.js';
import type { Fixup } from './fixup.js';

export const maskArithmetic: Fixup = ({ draft }, i) => {
  const { mask, maskLimit } = draft.facts[i]!;
  const { insns } = draft;
  const opcode = insns.opcode(i);
  if (opcode !== (isa.ALU64 | isa.ADD | isa.X) && opcode !== (isa.ALU64 | isa.SUB | isa.X)) return null;
  if (mask === 0 || mask === MASK_NOTHING) return 'done';
  const inSource = (mask & MASK_SRC) !== 0;
  const turned = (mask & MASK_NEGATIVE) !== 0;
  const constant = (mask & MASK_CONSTANT) !== 0;
  const dst = insns.dst(i);
  const off = inSource ? insns.src(i) : dst;
  const s = new Sequence();
  if (constant) s.mov32Imm(isa.AX, maskLimit);
  else {
    if (turned) s.alu64Imm(isa.MUL, off, -1);
    s.mov32Imm(isa.AX, maskLimit)
      .alu64(isa.SUB, isa.AX, off)
      .alu64(isa.OR, isa.AX, off)
      .alu64Imm(isa.NEG, isa.AX, 0)
      .alu64Imm(isa.ARSH, isa.AX, 63)
      .alu64(isa.AND, isa.AX, off);
  }
  if (!inSource) s.mov64(dst, insns.src(i));
  const operation = opcode & isa.OP_MASK;
  s.alu64(turned ? (operation === isa.ADD ? isa.SUB : isa.ADD) : operation, dst, isa.AX);
  if (inSource && turned && !constant) s.alu64Imm(isa.MUL, off, -1);
  return s;
};
