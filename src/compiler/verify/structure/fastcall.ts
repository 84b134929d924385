/**
 * bpf_fastcall: compilers spill caller-saved registers around calls that may turn out not to clobber them, at stack
 * offsets below all others. Where a call is inlined and such spills are all that touches these slots, the rewrites take
 * them out; here the patterns are found, and the stack that becomes free (Linux 6.12, mark_fastcall_patterns).
 */
import * as op from '../../isa/opcodes.js';
import { ARG_DONTCARE, RET_VOID } from '../../targets/types.js';
import { fetchKernelFunction, helperProto } from '../kernel/functions.js';
import type { Env, Subprogram } from '../env.js';
import { isHelperCall, isKernelFunctionCall, subprogEnd } from './subprograms.js';

/** R0 to R5. */
const CALLER_SAVED = 0x3f;
const MAX_PAIRS = 6;
const SPILL = op.STX | op.MEM | op.DW;
const FILL = op.LDX | op.MEM | op.DW;

/** Kernel functions that the verifier replaces by moves. */
const INLINED_KERNEL_FUNCTIONS: ReadonlySet<string> = new Set(['bpf_cast_to_kern_ctx', 'bpf_rdonly_cast']);

interface Callee {
  /** Bits of the registers it overwrites if it follows the contract. */
  readonly clobbers: number;
  readonly inlined: boolean;
}

function calleeOf(env: Env, i: number): Callee | null {
  if (isHelperCall(env, i)) {
    const proto = helperProto(env, env.insns.imm(i));
    if (proto === null) return null;
    let clobbers = proto.retType === RET_VOID ? 0 : 1;
    proto.argTypes.forEach((type, k) => {
      if (type !== ARG_DONTCARE) clobbers |= 2 << k;
    });
    const { jitInlinedHelpers, inlinedHelpers } = env.profile;
    const inlined = jitInlinedHelpers.has(proto.id) || inlinedHelpers.has(proto.id);
    return { clobbers, inlined: proto.allowFastcall && inlined };
  }
  if (!isKernelFunctionCall(env, i)) return null;
  const callee = fetchKernelFunction(env, i);
  if (callee === null) return null;
  let clobbers = callee.btf.sizeOrType(callee.protoId) === 0 ? 0 : 1;
  for (let k = 0; k < callee.btf.vlen(callee.protoId); k++) clobbers |= 2 << k;
  return { clobbers, inlined: INLINED_KERNEL_FUNCTIONS.has(callee.name) };
}

/** Whether the instructions at both distances from the call spill and fill the same register of `wanted` at `off`. */
function isPair(env: Env, spill: number, fill: number, off: number, wanted: number): boolean {
  const { insns } = env;
  return (
    insns.opcode(spill) === SPILL &&
    insns.opcode(fill) === FILL &&
    insns.dst(spill) === op.R10 &&
    insns.src(fill) === op.R10 &&
    insns.src(spill) === insns.dst(fill) &&
    (wanted & (1 << insns.src(spill))) !== 0 &&
    insns.off(spill) === off &&
    insns.off(fill) === off
  );
}

function markCall(env: Env, subprogram: Subprogram, call: number, lowest: number): void {
  const callee = calleeOf(env, call);
  if (callee === null || callee.clobbers === CALLER_SAVED) return;
  let wanted = ~callee.clobbers & CALLER_SAVED;
  let off = lowest;
  let pairs = 0;
  while (pairs < MAX_PAIRS) {
    const spill = call - pairs - 1;
    const fill = call + pairs + 1;
    if (spill < 0 || fill >= env.insns.length) break;
    // Only the first spill may be jumped to.
    if (env.facts[spill + 1]!.jumpTarget || env.facts[fill]!.jumpTarget) break;
    if (!isPair(env, spill, fill, off, wanted)) break;
    wanted &= ~(1 << env.insns.src(spill));
    env.facts[spill]!.fastcallPattern = true;
    env.facts[fill]!.fastcallPattern = true;
    pairs++;
    off += 8;
  }
  if (pairs === 0) return;
  if (callee.inlined) env.facts[call]!.fastcallSpills = pairs;
  else subprogram.keepFastcallStack = true;
  subprogram.fastcallStackOff = Math.min(subprogram.fastcallStackOff, off);
}

function lowestSpill(env: Env, start: number, end: number): number {
  let lowest = 0;
  for (let i = start; i < end; i++) {
    if (env.insns.opcode(i) === SPILL && env.insns.dst(i) === op.R10) lowest = Math.min(lowest, env.insns.off(i));
  }
  return lowest;
}

/** Finds the patterns of all subprograms. */
export function markFastcallPatterns(env: Env): void {
  env.subprograms.forEach((subprogram, index) => {
    const end = subprogEnd(env, index);
    const lowest = lowestSpill(env, subprogram.start, end);
    for (let i = subprogram.start; i < end; i++) {
      if (env.insns.opcode(i) === (op.JMP | op.CALL)) markCall(env, subprogram, i, lowest);
    }
  });
}

/** Stack depths as they are once the spills are taken out. */
export function shrinkFastcallStacks(env: Env): void {
  env.subprograms.forEach((subprogram, index) => {
    let spills = false;
    for (let i = subprogram.start; i < subprogEnd(env, index); i++) spills ||= env.facts[i]!.fastcallSpills > 0;
    if (spills && !subprogram.keepFastcallStack) subprogram.stackDepth = -subprogram.fastcallStackOff;
  });
}
