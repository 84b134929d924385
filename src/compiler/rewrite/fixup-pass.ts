/**
 * One pass over all instructions, in which each may be replaced by what the JIT can take (do_misc_fixups).
 *
 * The order of the kinds is the kernel's: the first that knows the instruction has the last word.
 */
import { MAX_STACK } from '../isa/opcodes.js';
import { EINVAL } from '../verify/errno.js';
import { functionEnd, type Draft, type DraftFunction } from './draft.js';
import { type Patches } from './splice.js';
import { castAddressSpace } from './fixups/address-space-cast.js';
import { narrowArenaArithmetic } from './fixups/arena-arithmetic.js';
import { guardDivision } from './fixups/division.js';
import type { Fixup, FixupContext } from './fixups/fixup.js';
import { callHelper, leaveToJit, skipOtherThanHelpers } from './fixups/helper-calls.js';
import { loadPerCpuPointer, passAllocationFlags, passTimerOwner } from './fixups/hidden-arguments.js';
import { inlineBranchSnapshot, inlineJiffies, inlineKptrExchange, inlineRecorded } from './fixups/inline-helpers.js';
import { callKernelFunction } from './fixups/kernel-functions.js';
import { callMapOperation } from './fixups/map-operations.js';
import { maskArithmetic } from './fixups/masked-arithmetic.js';
import { countMayGoto } from './fixups/may-goto.js';
import { expandPacketLoad } from './fixups/packet-load.js';
import { markTailCall } from './fixups/tail-call.js';
import { inlineTracedFunction } from './fixups/traced-function.js';
import { guardUserAddress } from './fixups/user-address.js';
import type { VerifiedProgram } from '../verify/verify.js';
import { Rejection } from './rejection.js';

/** The slot that counts a function's may_goto. */
const COUNTER_BYTES = 8;

const FIXUPS: readonly Fixup[] = [
  castAddressSpace,
  narrowArenaArithmetic,
  guardDivision,
  guardUserAddress,
  expandPacketLoad,
  maskArithmetic,
  countMayGoto,
  callKernelFunction,
  skipOtherThanHelpers,
  leaveToJit,
  markTailCall,
  passTimerOwner,
  passAllocationFlags,
  loadPerCpuPointer,
  callMapOperation,
  inlineJiffies,
  inlineRecorded,
  inlineTracedFunction,
  inlineBranchSnapshot,
  inlineKptrExchange,
  callHelper,
];

/** The patches, and the functions that count may_goto: their stack depth includes the counter's slot by then. */
export interface FixupPass {
  readonly patches: Patches;
  readonly mayGoto: readonly DraftFunction[];
}

export function fixUpInstructions(draft: Draft, input: VerifiedProgram): FixupPass | Rejection {
  const patches: Patches = new Map();
  const mayGoto: DraftFunction[] = [];
  const context: FixupContext = {
    draft,
    input,
    profile: input.profile,
    stackDepth: 0,
    usesMayGoto: false,
    knownTailCalls: 0,
  };
  for (let f = 0; f < draft.functions.length; f++) {
    const fn = draft.functions[f]!;
    context.stackDepth = fn.stackDepth;
    context.usesMayGoto = false;
    const rejection = fixUpRange(context, fn.start, functionEnd(draft, f), patches);
    if (rejection !== null) return rejection;
    if (!context.usesMayGoto) continue;
    fn.stackDepth += COUNTER_BYTES;
    if (fn.stackDepth > MAX_STACK && input.profile.behaviour.interpretsPrograms) {
      const sentence = `stack size ${fn.stackDepth}(extra ${COUNTER_BYTES}) is too large`;
      return new Rejection(sentence, -EINVAL, functionEnd(draft, f) - 1);
    }
    mayGoto.push(fn);
  }
  return { patches, mayGoto };
}

function fixUpRange(context: FixupContext, start: number, end: number, patches: Patches): Rejection | null {
  for (let i = start; i < end; i++) {
    const result = fixUp(context, i);
    if (result instanceof Rejection) return result;
    if (result !== null && result !== 'done') patches.set(i, result);
  }
  return null;
}

function fixUp(context: FixupContext, i: number): ReturnType<Fixup> {
  for (const fixup of FIXUPS) {
    const result = fixup(context, i);
    if (result !== null) return result;
  }
  return null;
}
