/** Conditional jumps (check_cond_jmp_op, Linux 6.12). */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import {
  BASE_MASK,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_PACKET_END,
  PTR_TO_STACK,
  SCALAR_VALUE,
} from '../../targets/types.js';
import { pushStack } from '../branch.js';
import { branchTaken, refineBranch } from '../domain/branch.js';
import { collectLinkedRegs, syncLinkedRegs } from '../domain/ids.js';
import { setKnown } from '../domain/scalar.js';
import { immediateOperand } from '../env.js';
import type { Env, State } from '../env.js';
import { E2BIG } from '../errno.js';
import { printInsnState } from '../log/state.js';
import { INSN_F_DST_REG_STACK, INSN_F_SRC_REG_STACK, pushJumpHistory } from '../prune/history.js';
import type { LinkedRegs } from '../linked-regs.js';
import { markChainPrecision } from '../prune/precision.js';
import { findPreviousEntry, widenImpreciseScalars } from '../prune/widen.js';
import type { Frame, ReadonlyReg, Reg } from '../state.js';
import { markPtrNotNull, markPtrOrNullRegs, regNotNull } from './nullness.js';
import { matchPacketPointers } from './packet-range.js';
import { leaksPointer } from '../memory/pointer-leak.js';
import { checkRegArg } from '../registers.js';
import { simulateBranch } from './speculation.js';
import { isPacketType } from '../register-types.js';

/** may_goto: a jump that the kernel may take at any time; it falls through for as long as the budget lasts. */
function checkMayGoto(env: Env, i: number): number {
  const { insns } = env;
  const off = insns.off(i);
  const imm = insns.imm(i);
  if (insns.opcode(i) !== (op.JMP | op.JCOND) || insns.bytes[i * 8 + 1] !== 0 || imm !== 0 || off === 0) {
    return refuse(env, ARITHMETIC.mayGotoFields, off, imm);
  }
  const previous = findPreviousEntry(env, env.state.parent, i);
  const queued = pushStack(env, i + 1, i, false);
  if (queued === null) return -E2BIG;
  queued.mayGotoDepth++;
  if (previous !== null) widenImpreciseScalars(env, previous, queued);
  env.insnIdx += off;
  return 0;
}

/** Reads the operands; the second is a stand-in for an immediate. An errno, or the register. */
function sourceOperand(env: Env, i: number, regs: readonly ReadonlyReg[]): ReadonlyReg | number {
  const { insns } = env;
  if ((insns.opcode(i) & op.X) === 0) {
    if (insns.src(i) !== 0) return refuse(env, ARITHMETIC.jumpReservedFields);
    return immediateOperand(env, insns.imm(i));
  }
  if (insns.imm(i) !== 0) return refuse(env, ARITHMETIC.jumpReservedFields);
  const err = checkRegArg(env, insns.src(i), 'src');
  if (err !== 0) return err;
  const src = regs[insns.src(i)]!;
  const bothPacket = isPacketAny(regs[insns.dst(i)]!.type) && isPacketAny(src.type);
  return !bothPacket && leaksPointer(env, src) ? comparisonProhibited(env, insns.src(i)) : src;
}

function isPacketAny(type: number): boolean {
  return isPacketType(type) || type === PTR_TO_PACKET_END;
}

function comparisonProhibited(env: Env, regno: number): number {
  return refuse(env, ARITHMETIC.pointerComparison, regno);
}

/** Follows the only way that is open. */
function followOnly(env: Env, i: number, taken: boolean, dst: ReadonlyReg, src: ReadonlyReg): number {
  const { insns } = env;
  const isRegister = (insns.opcode(i) & op.X) !== 0;
  let err = dst.type === SCALAR_VALUE ? markChainPrecision(env, insns.dst(i)) : 0;
  if (err === 0 && isRegister && src.type === SCALAR_VALUE) err = markChainPrecision(env, insns.src(i));
  if (err !== 0) return err;
  // A processor may go the other way for a while, whatever the operands are.
  if (!env.bypassSpecV1 && !simulateBranch(env, i, taken ? i + 1 : i + insns.off(i) + 1)) return -E2BIG;
  if (env.log.prints) printInsnState(env, env.state.frame);
  if (taken) env.insnIdx += insns.off(i);
  return 0;
}

const NONE_LINKED: LinkedRegs = [];

/** Registers that change together with the operands, noted in the history of both paths. */
function collectLinked(env: Env, isRegister: boolean, dst: ReadonlyReg, src: ReadonlyReg): LinkedRegs {
  const isTied = (dst.type === SCALAR_VALUE && dst.id !== 0) || (src.type === SCALAR_VALUE && src.id !== 0);
  if (!isTied) return NONE_LINKED;
  const linked: number[] = [];
  if (isRegister && src.type === SCALAR_VALUE && src.id !== 0) collectLinkedRegs(env.state, src.id, linked);
  if (dst.type === SCALAR_VALUE && dst.id !== 0) collectLinkedRegs(env.state, dst.id, linked);
  if (linked.length > 1) pushJumpHistory(env, 0, linked);
  return linked;
}

/** Equal pointers: if one is not null, neither is the other. */
function liftNull(opcode: number, dst: number, src: number, here: Frame, there: Frame): void {
  if ((opcode & op.X) === 0 || (opcode & op.CLASS_MASK) === op.JMP32) return;
  const a = here.regs[dst]!;
  const b = here.regs[src]!;
  if (a.type === SCALAR_VALUE || b.type === SCALAR_VALUE) return;
  if ((a.type & BASE_MASK) === PTR_TO_BTF_ID || (b.type & BASE_MASK) === PTR_TO_BTF_ID) return;
  const kind = opcode & op.OP_MASK;
  if (kind !== op.JEQ && kind !== op.JNE) return;
  const equal = kind === op.JEQ ? there : here;
  if (regNotNull(a) && (b.type & PTR_MAYBE_NULL) !== 0) markPtrNotNull(equal.ownReg(src));
  if (regNotNull(b) && (a.type & PTR_MAYBE_NULL) !== 0) markPtrNotNull(equal.ownReg(dst));
}

/** Splits the path: what the comparison tells holds here, and in `other` for the jump taken. */
function refinePaths(env: Env, i: number, other: State, linked: LinkedRegs): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const here = env.state.frame;
  const there = other.frame;
  const dst = insns.dst(i);
  const src = (opcode & op.X) !== 0 ? insns.src(i) : -1;
  const areScalars = here.regs[dst]!.type === SCALAR_VALUE && (src < 0 || here.regs[src]!.type === SCALAR_VALUE);
  if (areScalars) {
    const err = refineBranch(
      env,
      there.ownReg(dst),
      src < 0 ? copyImmediate(env, insns.imm(i)) : there.ownReg(src),
      here.ownReg(dst),
      src < 0 ? env.immediateReg : here.ownReg(src),
      opcode & op.OP_MASK,
      (opcode & op.CLASS_MASK) === op.JMP32,
    );
    if (err !== 0) return err;
  }
  if (src >= 0) syncPaths(env, other, src, linked);
  syncPaths(env, other, dst, linked);
  return 0;
}

/** What is known of a register now is known of those linked to it, on both paths. */
function syncPaths(env: Env, other: State, regno: number, linked: LinkedRegs): void {
  const known = env.state.frame.regs[regno]!;
  if (known.type !== SCALAR_VALUE || known.id === 0) return;
  syncLinkedRegs(env.state, known, linked);
  syncLinkedRegs(other, other.frame.regs[regno]!, linked);
}

/** The immediate once more, for the other path. */
function copyImmediate(env: Env, imm: number): Reg {
  setKnown(env.immediateRegCopy, imm >> 31, imm);
  return env.immediateRegCopy;
}

/** What a comparison tells of pointers on both paths. */
function refinePointers(env: Env, i: number, other: State): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const kind = opcode & op.OP_MASK;
  const dst = insns.dst(i);
  liftNull(opcode, dst, insns.src(i), env.state.frame, other.frame);
  const comparesNull =
    (opcode & (op.CLASS_MASK | op.X)) === op.JMP && insns.imm(i) === 0 && (kind === op.JEQ || kind === op.JNE);
  if (comparesNull && (env.state.frame.regs[dst]!.type & PTR_MAYBE_NULL) !== 0) {
    markPtrOrNullRegs(env, env.state, dst, kind === op.JNE);
    markPtrOrNullRegs(env, other, dst, kind === op.JEQ);
    return 0;
  }
  if (matchPacketPointers(opcode, dst, insns.src(i), env.state, other)) return 0;
  return leaksPointer(env, env.state.frame.regs[dst]!) ? comparisonProhibited(env, dst) : 0;
}

/** A conditional jump at instruction `i`: follows it, or one of its paths, and puts the other off. */
export function checkConditionalJump(env: Env, i: number): number {
  const { insns } = env;
  const opcode = insns.opcode(i);
  const kind = opcode & op.OP_MASK;
  if (kind === op.JA || kind > op.JCOND) {
    return refuse(env, ARITHMETIC.unknownJumpOpcode, kind);
  }
  if (kind === op.JCOND) return checkMayGoto(env, i);
  let err = checkRegArg(env, insns.dst(i), 'src');
  if (err !== 0) return err;
  const { regs } = env.state.frame;
  const dst = regs[insns.dst(i)]!;
  const src = sourceOperand(env, i, regs);
  if (typeof src === 'number') return src;
  const isRegister = (opcode & op.X) !== 0;
  let flags = isRegister && src.type === PTR_TO_STACK ? INSN_F_SRC_REG_STACK : 0;
  if (dst.type === PTR_TO_STACK) flags |= INSN_F_DST_REG_STACK;
  if (flags !== 0) pushJumpHistory(env, flags);
  const taken = branchTaken(dst, src, kind, (opcode & op.CLASS_MASK) === op.JMP32);
  if (taken >= 0) return followOnly(env, i, taken === 1, dst, src);
  const linked = collectLinked(env, isRegister, dst, src);
  const other = pushStack(env, i + insns.off(i) + 1, i, false);
  if (other === null) return -E2BIG;
  err = refinePaths(env, i, other, linked) || refinePointers(env, i, other);
  if (err !== 0) return err;
  if (env.log.prints) printInsnState(env, env.state.frame);
  return 0;
}
