/** Where stack pointers may point, and what touching the stack means for bpf_fastcall patterns. */
import { STACK } from '../refusals/stack.js';
import { refuse, refuseAs } from '../refusals/refuse.js';
import { isConst } from '../domain/scalar.js';
import { leS, toNumberS } from '../domain/u64.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES, EFAULT, EINVAL } from '../errno.js';
import { growStack } from '../frames.js';
import { MAX_VAR_OFF } from '../limits.js';
import { MAX_STACK } from '../../isa/opcodes.js';
import type { Frame, ReadonlyReg } from '../state.js';

/** Who touches the stack: the log words differ. */
export type StackUse = 'read' | 'write' | 'helper';

const USE_NAMES: Readonly<Record<StackUse, string>> = {
  read: ' read from',
  write: ' write to',
  helper: ' indirect access to',
};

/** The frame that a stack pointer points into. */
export function pointedFrame(env: Env, reg: ReadonlyReg): Frame {
  return env.state.frames[reg.frame]!;
}

/** Least offset that the register's variable part and `off` make. */
export function leastOffset(reg: ReadonlyReg, off: number): number {
  return toNumberS(reg.sminHi, reg.sminLo) + off;
}
export function greatestOffset(reg: ReadonlyReg, off: number): number {
  return toNumberS(reg.smaxHi, reg.smaxLo) + off;
}

/** The access lies in [-512, 0) whatever the variable offset; the frame's stack grows to hold it. */
export function checkStackBounds(env: Env, regno: number, off: number, size: number, use: StackUse): number {
  const reg = currentRegs(env)[regno]!;
  const name = USE_NAMES[use];
  const constant = isConst(reg);
  let min;
  let max;
  if (constant) {
    min = toNumberS(reg.valueHi, reg.valueLo) + off;
    max = min + size;
  } else {
    const tooFar = leS(0, MAX_VAR_OFF, reg.smaxHi, reg.smaxLo) || leS(reg.sminHi, reg.sminLo, -1, -MAX_VAR_OFF | 0);
    if (tooFar) {
      return refuse(env, STACK.stackUnbounded, regno, name);
    }
    min = leastOffset(reg, off);
    max = greatestOffset(reg, off) + size;
  }
  let errno = 0;
  // What was never written may not be read without CAP_PERFMON: nothing lies below the deepest write.
  const least = use === 'read' && !env.allowUninitStack ? -8 * pointedFrame(env, reg).stack.length : -MAX_STACK;
  if (min < least || min > -1) errno = EACCES;
  else if (max > 0) errno = EINVAL;
  else if (size < 0) errno = EFAULT;
  if (errno === 0) {
    growStack(env, pointedFrame(env, reg), -min);
    return 0;
  }
  return refuseAs(env, errno, STACK.outsideStack, regno, constant, name, reg, off, size);
}

/**
 * bpf_fastcall patterns spill below a certain offset, where nothing else may look: the first other access there gives all
 * patterns of the subprogram up (Linux 6.12, Documentation/bpf/verifier.rst has no word of it).
 */
export function checkFastcallContract(env: Env, frame: Frame, insn: number, off: number): void {
  const subprogram = env.subprograms[frame.subprog]!;
  if (subprogram.fastcallStackOff <= off || env.facts[insn]!.fastcallPattern) return;
  subprogram.fastcallStackOff = -0x8000;
  const end = env.subprograms[frame.subprog + 1]?.start ?? env.insns.length;
  for (let i = subprogram.start; i < end; i++) {
    const facts = env.facts[i]!;
    facts.fastcallSpills = 0;
    facts.fastcallPattern = false;
  }
}
