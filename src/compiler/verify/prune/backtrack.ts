/**
 * One step of precision tracking backwards: given the registers and slots whose exact value matters behind an
 * instruction, those whose value matters in front of it (backtrack_insn, Linux 6.12).
 */
import { PRECISION } from '../refusals/precision.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import { isSyncCallbackCallingInsn } from '../kernel/functions.js';
import type { Env } from '../env.js';
import { isLinkedReg, linkedFrame, linkedIndex } from '../linked-regs.js';
import { ENOTSUPP } from '../errno.js';
import { insnText } from '../log/insn.js';
import { regMaskText, slotMaskText } from '../log/masks.js';
import { findSubprog, subprogIsGlobal } from '../structure/subprograms.js';
import {
  INSN_F_DST_REG_STACK,
  INSN_F_SRC_REG_STACK,
  INSN_F_STACK_ACCESS,
  stackAccessFrame,
  stackAccessSlot,
} from './history.js';
import type { BacktrackMasks } from './masks.js';
import { MAX_CALL_FRAMES } from '../limits.js';

/** R1 to R5. */
const ARGUMENTS = 0x3e;

/** The kernel's own word where it finds its bookkeeping wrong. */
function enterSubprogram(env: Env): number {
  const masks = env.masks;
  if (masks.frame === MAX_CALL_FRAMES - 1) return refuse(env, PRECISION.backtrackEntry, masks.frame);
  masks.frame++;
  return 0;
}

function exitSubprogram(env: Env): number {
  const masks = env.masks;
  if (masks.frame === 0) return refuse(env, PRECISION.backtrackExit);
  masks.frame--;
  return 0;
}

/** Registers that gained their range together need precision together. */
function syncLinked(env: Env, entry: number): void {
  const linked = env.history.linked(entry);
  if (linked === null) return;
  const { masks } = env;
  if (!linked.some((packed) => isWanted(masks, packed))) return;
  for (const packed of linked) {
    if (isLinkedReg(packed)) masks.setFrameReg(linkedFrame(packed), linkedIndex(packed));
    else masks.setSlot(linkedFrame(packed), linkedIndex(packed));
  }
}

function isWanted(masks: BacktrackMasks, packed: number): boolean {
  const frame = linkedFrame(packed);
  return isLinkedReg(packed)
    ? masks.hasFrameReg(frame, linkedIndex(packed))
    : masks.hasSlot(frame, linkedIndex(packed));
}

function backtrackAlu(env: Env, i: number): void {
  const { insns, masks } = env;
  const dst = insns.dst(i);
  const opcode = insns.opcode(i);
  if (!masks.hasReg(dst)) return;
  const operation = opcode & op.OP_MASK;
  if (operation === op.END || operation === op.NEG) return;
  if (operation === op.MOV) masks.clearReg(dst);
  if ((opcode & op.X) !== 0 && insns.src(i) !== op.R10) masks.setReg(insns.src(i));
}

function isAtomicFetch(env: Env, i: number): boolean {
  const opcode = env.insns.opcode(i);
  return (
    (opcode & op.CLASS_MASK) === op.STX && (opcode & op.MODE_MASK) === op.ATOMIC && (env.insns.imm(i) & op.FETCH) !== 0
  );
}

function backtrackLoad(env: Env, i: number, entry: number): void {
  const { insns, masks } = env;
  let target = insns.dst(i);
  if (isAtomicFetch(env, i)) target = insns.imm(i) === op.CMPXCHG ? op.R0 : insns.src(i);
  if (!masks.hasReg(target)) return;
  masks.clearReg(target);
  const flags = env.history.flags(entry);
  if ((flags & INSN_F_STACK_ACCESS) !== 0) masks.setSlot(stackAccessFrame(flags), stackAccessSlot(flags));
}

function backtrackStore(env: Env, i: number, entry: number): number {
  const { insns, masks } = env;
  // A scalar that is stored through: a difference of pointers, which is not followed.
  if (masks.hasReg(insns.dst(i))) return -ENOTSUPP;
  const flags = env.history.flags(entry);
  if ((flags & INSN_F_STACK_ACCESS) === 0) return 0;
  const frame = stackAccessFrame(flags);
  const slot = stackAccessSlot(flags);
  if (!masks.hasSlot(frame, slot)) return 0;
  masks.clearSlot(frame, slot);
  if ((insns.opcode(i) & op.CLASS_MASK) === op.STX) masks.setReg(insns.src(i));
  return 0;
}

function regsBug(env: Env): number {
  return refuse(env, PRECISION.backtrackRegisters, env.masks.regs[env.masks.frame]!);
}

/** Leaving a callee backwards through its first instruction: only its arguments may still be wanted. */
function leaveCallee(env: Env, keepArguments: boolean): number {
  const { masks } = env;
  if ((masks.regs[masks.frame]! & ~ARGUMENTS) !== 0) return regsBug(env);
  if (masks.hasSlots(masks.frame)) return refuse(env, PRECISION.backtrackSlots, slotsHex(env));
  for (let r = op.R1; r <= op.R5; r++) {
    if (!masks.hasReg(r)) continue;
    masks.clearReg(r);
    if (keepArguments) masks.setFrameReg(masks.frame - 1, r);
  }
  return exitSubprogram(env);
}

function slotsHex(env: Env): string {
  const { masks } = env;
  const hi = masks.slotsHi[masks.frame]! >>> 0;
  const lo = masks.slotsLo[masks.frame]! >>> 0;
  return hi === 0 ? lo.toString(16) : hi.toString(16) + lo.toString(16).padStart(8, '0');
}

function backtrackCall(env: Env, i: number, next: number): number {
  const { insns, masks } = env;
  if (insns.opcode(i) === (op.JMP | op.CALL) && insns.src(i) === op.PSEUDO_CALL) {
    const subprog = findSubprog(env, i + insns.imm(i) + 1);
    if (subprog < 0) return refuse(env, PRECISION.backtrackCall);
    if (!subprogIsGlobal(env, subprog)) return leaveCallee(env, true);
    if ((masks.regs[masks.frame]! & ARGUMENTS) !== 0) return regsBug(env);
    masks.clearReg(op.R0);
    return 0;
  }
  // Callbacks return to the call itself; straight-line code comes from behind it.
  if (isSyncCallbackCallingInsn(env, i) && i !== next - 1) return leaveCallee(env, false);
  if (insns.src(i) === op.PSEUDO_KFUNC_CALL && insns.imm(i) === 0) return -ENOTSUPP;
  masks.clearReg(op.R0);
  return (masks.regs[masks.frame]! & ARGUMENTS) !== 0 ? regsBug(env) : 0;
}

/** An exit read backwards enters the callee; its result is wanted if the call's is. */
function backtrackExit(env: Env, next: number): number {
  const { insns, masks } = env;
  const call = next - 1;
  const fromCall = call >= 0 && insns.opcode(call) === (op.JMP | op.CALL) && insns.src(call) === op.PSEUDO_CALL;
  const resultWanted = fromCall && masks.hasReg(op.R0);
  if (fromCall && (masks.regs[masks.frame]! & ARGUMENTS) !== 0) return regsBug(env);
  masks.clearReg(op.R0);
  const err = enterSubprogram(env);
  if (err !== 0) return err;
  if (resultWanted) masks.setReg(op.R0);
  return 0;
}

function backtrackComparison(env: Env, i: number, entry: number): void {
  const { insns, masks } = env;
  if ((insns.opcode(i) & op.X) === 0) return;
  const dst = insns.dst(i);
  const src = insns.src(i);
  if (!masks.hasReg(dst) && !masks.hasReg(src)) return;
  const flags = env.history.flags(entry);
  if ((flags & INSN_F_SRC_REG_STACK) === 0) masks.setReg(src);
  if ((flags & INSN_F_DST_REG_STACK) === 0) masks.setReg(dst);
}

function backtrackLd(env: Env, i: number, next: number): number {
  const { insns, masks } = env;
  const mode = insns.opcode(i) & op.MODE_MASK;
  if (mode === op.IMM) {
    masks.clearReg(insns.dst(i));
    return 0;
  }
  if (mode !== op.IND && mode !== op.ABS) return 0;
  if (masks.hasReg(insns.dst(i))) return -ENOTSUPP;
  // A failing packet load leaves the subprogram.
  return next !== i + 1 ? enterSubprogram(env) : 0;
}

/** Whether stepping over an instruction backwards depends on where the path went from it: it changes frames. */
export function dependsOnNext(opcode: number): boolean {
  const cls = opcode & op.CLASS_MASK;
  const operation = opcode & op.OP_MASK;
  if (cls === op.JMP || cls === op.JMP32) return operation === op.CALL || operation === op.EXIT;
  return cls === op.LD && (opcode & op.MODE_MASK) !== op.IMM;
}

/** Wanted registers and slots, as the log traces them. */
function trace(env: Env, i: number): void {
  const { masks } = env;
  const regs = regMaskText(masks.regs[masks.frame]!);
  const slots = slotMaskText(masks.slotsLo[masks.frame]!, masks.slotsHi[masks.frame]!);
  env.log.write(`mark_precise: frame${masks.frame}: regs=${regs} stack=${slots} before ${i}: ${insnText(env, i)}`);
}

/**
 * Steps over instruction `i` backwards; `next` was stepped over before, `entry` is the history's index of `i` or -1.
 * 0; -ENOTSUPP where only the precision of everything is safe; -EFAULT where the kernel would own up to a bug.
 */
export function backtrackInsn(env: Env, i: number, next: number, entry: number): number {
  const opcode = env.insns.opcode(i);
  if (opcode === 0) return 0;
  if (env.log.detailed) trace(env, i);
  syncLinked(env, entry);
  switch (opcode & op.CLASS_MASK) {
    case op.ALU:
    case op.ALU64:
      backtrackAlu(env, i);
      break;
    case op.LDX:
      backtrackLoad(env, i, entry);
      break;
    case op.STX:
    case op.ST: {
      if (isAtomicFetch(env, i) && !env.profile.behaviour.losesAtomicFetches) {
        backtrackLoad(env, i, entry);
        break;
      }
      const err = backtrackStore(env, i, entry);
      if (err !== 0) return err;
      break;
    }
    case op.JMP:
    case op.JMP32:
      if ((opcode & op.OP_MASK) === op.CALL) {
        const err = backtrackCall(env, i, next);
        if (err !== 0) return err;
      } else if ((opcode & op.OP_MASK) === op.EXIT) return backtrackExit(env, next);
      else backtrackComparison(env, i, entry);
      break;
    default:
      return backtrackLd(env, i, next);
  }
  // Once more, for what became wanted at this instruction.
  syncLinked(env, entry);
  return 0;
}
