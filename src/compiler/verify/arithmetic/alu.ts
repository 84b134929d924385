/** Arithmetic instructions: reserved fields, operands, and what the destination holds afterwards. */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import { PTR_TO_ARENA, SCALAR_VALUE } from '../../targets/types.js';
import { syncBounds } from '../domain/bounds.js';
import { signExtend32, signExtend64, zeroExtend32 } from '../domain/extend.js';
import { assignScalarId, clearScalarId, markKnown, markUnknown, needsScalarId, valueWidth } from '../domain/scalar.js';
import { ltU } from '../domain/u64.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import type { Frame, ReadonlyReg, Reg } from '../state.js';
import { adjustReg } from './arithmetic.js';
import { leaksPointer } from '../memory/pointer-leak.js';
import { checkRegArg, checkRegBounds } from '../registers.js';

/** Checks instruction `i`, of class ALU or ALU64. */
export function checkAluOp(env: Env, i: number): number {
  const opcode = env.insns.opcode(i);
  const operation = opcode & op.OP_MASK;
  let err;
  if (operation === op.END || operation === op.NEG) err = checkUnary(env, i, operation);
  else if (operation === op.MOV) err = checkMove(env, i);
  else if (operation > op.END) {
    return refuse(env, ARITHMETIC.unknownAluOpcode, operation);
  } else err = checkBinary(env, i, operation);
  return err || checkRegBounds(env, env.insns.dst(i), 'alu');
}

function reserved(env: Env, name: string): number {
  return refuse(env, ARITHMETIC.aluReservedFields, name);
}

/** NEG and byte swaps leave an unknown scalar. */
function checkUnary(env: Env, i: number, operation: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const imm = insns.imm(i);
  const plain = insns.src(i) === 0 && insns.off(i) === 0;
  if (operation === op.NEG) {
    if ((opcode & op.X) !== 0 || !plain || imm !== 0) return reserved(env, 'BPF_NEG');
  } else {
    const unconditional = (opcode & op.CLASS_MASK) === op.ALU64;
    const width = imm === 16 || imm === 32 || imm === 64;
    if (!plain || !width || (unconditional && (opcode & op.X) !== 0)) return reserved(env, 'BPF_END');
  }
  const dst = insns.dst(i);
  const err = checkRegArg(env, dst, 'src');
  if (err !== 0) return err;
  if (leaksPointer(env, currentRegs(env)[dst]!)) return refuse(env, ARITHMETIC.pointerNegated, dst);
  return checkRegArg(env, dst, 'dst');
}

function checkMove(env: Env, i: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const dst = insns.dst(i);
  const wide = (opcode & op.CLASS_MASK) === op.ALU64;
  const fromReg = (opcode & op.X) !== 0;
  const err =
    (fromReg
      ? checkMoveFields(env, i, wide) || checkRegArg(env, insns.src(i), 'src')
      : insns.src(i) !== 0 || insns.off(i) !== 0
        ? reserved(env, 'BPF_MOV')
        : 0) || checkRegArg(env, dst, 'dst-no-mark');
  if (err !== 0) return err;
  const regs = currentRegs(env);
  if (!fromReg) {
    const imm = insns.imm(i);
    const dstReg = ownReg(env, dst);
    markUnknown(dstReg);
    markKnown(dstReg, wide ? imm >> 31 : 0, imm);
    return 0;
  }
  if (wide) return move64(env, i);
  if (leaksPointer(env, regs[insns.src(i)]!)) return refuse(env, ARITHMETIC.pointerCutByMove, insns.src(i));
  move32(env, i);
  return 0;
}

/** Offset: the width to sign-extend from, or an address-space cast with the two spaces in the immediate. Older kernels know neither. */
function checkMoveFields(env: Env, i: number, wide: boolean): number {
  const off = env.insns.off(i);
  const imm = env.insns.imm(i);
  if (off !== 0 && !env.profile.behaviour.signExtendingMoves) return reserved(env, 'BPF_MOV');
  if (wide && off === op.ADDR_SPACE_CAST) {
    if (imm !== 1 && imm !== 1 << 16) {
      return refuse(env, ARITHMETIC.arenaCastSpaces);
    }
    if (env.arenaMap < 0) {
      return refuse(env, ARITHMETIC.arenaCastWithoutArena);
    }
    return 0;
  }
  const known = off === 0 || off === 8 || off === 16 || (wide && off === 32);
  return known && imm === 0 ? 0 : reserved(env, 'BPF_MOV');
}

function move64(env: Env, i: number): number {
  const { insns } = env;
  const { frame } = env.state;
  const dst = insns.dst(i);
  const src = insns.src(i);
  const off = insns.off(i);
  const imm = insns.imm(i);
  if (imm !== 0) {
    const reg = frame.ownReg(dst);
    markUnknown(reg);
    if (imm === 1) {
      reg.type = PTR_TO_ARENA; // 32 bits wide
      reg.subregDef = env.insnIdx + 1;
    }
  } else if (off === 0) {
    tieToCopy(env, frame, src);
    frame.takeReg(dst, frame, src);
  } else if (leaksPointer(env, frame.regs[src]!)) {
    return refuse(env, ARITHMETIC.pointerSignExtended, src);
  } else if (frame.regs[src]!.type === SCALAR_VALUE) {
    const reg = copyLinked(env, frame, dst, src, isBelowSignBit(frame.regs[src]!, off), 0);
    signExtend64(reg, off >> 3);
  } else markUnknown(frame.ownReg(dst));
  return 0;
}

/** The low half, sign-extended from 8 or 16 bits where the offset says so; the upper half is cleared. */
function move32(env: Env, i: number): void {
  const { insns } = env;
  const { frame } = env.state;
  const off = insns.off(i);
  const src = frame.regs[insns.src(i)]!;
  let dst;
  if (src.type === SCALAR_VALUE) {
    const same = off === 0 ? valueWidth(src) <= 32 : isBelowSignBit(src, off);
    dst = copyLinked(env, frame, insns.dst(i), insns.src(i), same, env.insnIdx + 1);
    if (off !== 0) signExtend32(dst, off >> 3);
  } else {
    dst = frame.ownReg(insns.dst(i));
    markUnknown(dst);
  }
  zeroExtend32(dst);
  syncBounds(dst);
}

/** The value is less than 2^(bits-1): extending it from `bits` changes nothing. */
function isBelowSignBit(r: ReadonlyReg, bits: number): boolean {
  return ltU(r.umaxHi, r.umaxLo, 0, bits === 32 ? 1 << 31 : 1 << (bits - 1));
}

/** Ties a register to the copy that is about to be made of it, if both are scalars that may vary. */
function tieToCopy(env: Env, frame: Frame, regno: number): void {
  if (needsScalarId(frame.regs[regno]!)) assignScalarId(env, frame.ownReg(regno));
}

/** Copies a scalar, and answers the copy; the two stay tied only where the move keeps the value as it is. */
function copyLinked(env: Env, frame: Frame, dst: number, src: number, same: boolean, subregDef: number): Reg {
  if (same) tieToCopy(env, frame, src);
  const reg = frame.ownReg(dst);
  reg.copyFrom(frame.regs[src]!);
  reg.subregDef = subregDef;
  if (!same) clearScalarId(reg);
  return reg;
}

function checkBinary(env: Env, i: number, operation: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const imm = insns.imm(i);
  const off = insns.off(i);
  const divides = operation === op.DIV || operation === op.MOD;
  // offset 1: signed division, where the kernel knows it
  const badOff = off !== 0 && (off !== 1 || !divides || !env.profile.behaviour.signedDivision);
  if ((opcode & op.X) !== 0) {
    if (imm !== 0 || badOff) return reserved(env, 'BPF_ALU');
    const err = checkRegArg(env, insns.src(i), 'src');
    if (err !== 0) return err;
  } else if (insns.src(i) !== 0 || badOff) return reserved(env, 'BPF_ALU');
  const dst = insns.dst(i);
  const err = checkRegArg(env, dst, 'src');
  if (err !== 0) return err;
  if ((opcode & op.X) === 0) {
    if (divides && imm === 0) {
      return refuse(env, ARITHMETIC.divisionByZero);
    }
    const shifts = operation === op.LSH || operation === op.RSH || operation === op.ARSH;
    const width = (opcode & op.CLASS_MASK) === op.ALU64 ? 64 : 32;
    if (shifts && (imm < 0 || imm >= width)) {
      return refuse(env, ARITHMETIC.shiftTooWide, imm);
    }
  }
  return checkRegArg(env, dst, 'dst-no-mark') || adjustReg(env, i);
}
