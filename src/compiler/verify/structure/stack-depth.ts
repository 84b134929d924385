/** Stack of all calls together, and what may stand in whose call chain (check_max_stack_depth, Linux 6.12, arm64). */
import { refuse } from '../refusals/refuse.js';
import { STRUCTURE } from '../refusals/structure.js';
import type { FixedRefusal, Operands } from '../refusals/refusal.js';
import * as op from '../../isa/opcodes.js';
import { isThrowCall } from '../kernel/functions.js';
import type { Env, Subprogram } from '../env.js';
import { MAX_CALL_FRAMES } from '../limits.js';
import { findSubprog, isKernelFunctionCall, isPseudoCall, isPseudoFunc, subprogEnd } from './subprograms.js';

/** Callers may use this much where a callee makes tail calls: 33 of them must fit the kernel's stack. */
const MAX_TAIL_CALLER_STACK = 256;

class DepthWalk {
  private depth = 0;
  private tailCallReachable = false;
  /** Call sites and callers of the chain. */
  private readonly sites: number[] = [];
  private readonly callers: number[] = [];
  private readonly countsAsJit: boolean;

  constructor(
    private readonly env: Env,
    private index: number,
  ) {
    this.countsAsJit = env.profile.behaviour.framesOf16Bytes;
  }

  /** The current function's frame: the JIT aligns it to 16 bytes, the interpreter, as which older kernels count all, to 32. */
  private get frameBytes(): number {
    const { stackDepth } = this.current;
    return this.countsAsJit ? (stackDepth + 15) & ~15 : (Math.max(stackDepth, 1) + 31) & ~31;
  }

  private get current(): Subprogram {
    return this.env.subprograms[this.index]!;
  }

  /** Refuses the function at hand, which is told by its first instruction. */
  private refuse<A extends Operands>(kind: FixedRefusal<A>, ...operands: [...A]): number {
    return this.refuseAt(this.current.start, kind, ...operands);
  }

  private refuseAt<A extends Operands>(place: number, kind: FixedRefusal<A>, ...operands: [...A]): number {
    this.env.place = place;
    return refuse(this.env, kind, ...operands);
  }

  private inCallback(): boolean {
    return this.current.isCallback || this.callers.some((c) => this.env.subprograms[c]!.isCallback);
  }

  private enter(): number {
    if (this.current.hasLdAbs && this.inCallback()) {
      return this.refuse(STRUCTURE.packetLoadInCallback);
    }
    if (this.index !== 0 && this.current.hasTailCall && this.depth >= MAX_TAIL_CALLER_STACK) {
      return this.refuse(STRUCTURE.tailCallStack, this.depth);
    }
    this.depth += this.frameBytes;
    if (this.depth > op.MAX_STACK) {
      const calls = this.callers.length + 1;
      return this.refuse(STRUCTURE.stackTooLarge, calls, this.depth);
    }
    return 0;
  }

  /** Enters the callee of a call; 1 where the call does not add to this chain. */
  private call(i: number): number {
    const callee = findSubprog(this.env, i + this.env.insns.imm(i) + 1);
    if (callee < 0) return this.refuseAt(i, STRUCTURE.noFunctionThere);
    const subprogram = this.env.subprograms[callee]!;
    if (subprogram.isAsyncCallback) {
      if (subprogram.hasTailCall) return this.refuse(STRUCTURE.asyncTailCall);
      if (!isPseudoCall(this.env, i)) return 1;
      if (subprogram.isExceptionCallback) {
        return this.refuseAt(i, STRUCTURE.exceptionCallbackCalled, i);
      }
    }
    this.sites.push(i);
    this.callers.push(this.index);
    this.index = callee;
    if (subprogram.hasTailCall) this.tailCallReachable = true;
    if (this.callers.length >= MAX_CALL_FRAMES) {
      return this.refuseAt(i, STRUCTURE.stackCallsTooDeep, this.callers.length);
    }
    return this.enter();
  }

  private leave(): number {
    if (this.tailCallReachable) {
      for (const caller of this.callers) {
        const subprogram = this.env.subprograms[caller]!;
        if (subprogram.isExceptionCallback) return this.refuse(STRUCTURE.tailCallInExceptionCallback);
        subprogram.tailCallReachable = true;
      }
    }
    return 0;
  }

  /** Walks all instructions of the chain; 0 or an errno. */
  run(): number {
    let err = this.enter();
    let i = this.current.start;
    while (err === 0) {
      const end = subprogEnd(this.env, this.index);
      while (i < end) {
        if (isKernelFunctionCall(this.env, i)) {
          if (isThrowCall(this.env, i) && this.inCallback()) {
            return this.refuseAt(i, STRUCTURE.throwInCallback, i, this.index);
          }
        } else if (isPseudoCall(this.env, i) || isPseudoFunc(this.env, i)) {
          err = this.call(i);
          if (err < 0) return err;
          if (err === 0) break;
          err = 0;
        }
        i++;
      }
      if (i < end) {
        i = this.current.start;
        continue;
      }
      err = this.leave();
      if (this.callers.length === 0) return err;
      this.depth -= this.frameBytes;
      i = this.sites.pop()! + 1;
      this.index = this.callers.pop()!;
    }
    return err;
  }
}

/** Checks every chain of calls that starts at the program or at an asynchronous callback. */
export function checkMaxStackDepth(env: Env): number {
  for (let index = env.subprograms.length - 1; index >= 0; index--) {
    if (index !== 0 && !env.subprograms[index]!.isAsyncCallback) continue;
    const err = new DepthWalk(env, index).run();
    if (err !== 0) return err;
  }
  return 0;
}
