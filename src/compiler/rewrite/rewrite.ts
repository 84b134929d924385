/**
 * From the program that the verifier accepted to what the JIT is given: the kernel's fix-ups, in the kernel's order
 * (the end of bpf_check, Linux 6.12).
 */
import type { Instructions } from '../isa/instructions.js';
import { LD_IMM64 } from '../isa/opcodes.js';
import type { JitProgram, SymbolRef } from './program.js';
import type { LineInfo } from '../load/program.js';
import { fail, ok, type Outcome } from '../outcome.js';
import { ENOMEM, EOPNOTSUPP } from '../verify/errno.js';
import { convertAccesses } from './accesses.js';
import { resolveAddresses } from './addresses.js';
import { inlineLoops } from './bpf-loop.js';
import { removeDeadCode, trapDeadCode } from './dead-code.js';
import { type Draft, type DraftFunction } from './draft.js';
import { splice, type Patches } from './splice.js';
import { dumpTranslated } from './dump.js';
import { addExceptionCallback } from './exception-callback.js';
import { removeFastcallSpills } from './fastcall-spills.js';
import { fixUpInstructions } from './fixup-pass.js';
import { initMayGotoCounters } from './fixups/may-goto.js';
import { cutIntoFunctions } from './functions.js';
import type { VerifiedProgram } from '../verify/verify.js';
import { addPrologue } from './prologue.js';
import { Rejection } from './rejection.js';
import { branchTarget, refersToFunction } from './sequence.js';
import { addZeroExtensions } from './zero-extension.js';

/** A source line, and the translated instruction (in the whole program) that it starts at. */
export interface TranslatedLine {
  readonly instruction: number;
  readonly info: LineInfo;
}

export interface Rewritten {
  /** The whole program as the kernel dumps it. */
  readonly translated: Instructions;
  /** Its slots that hold addresses in the kernel. */
  readonly translatedSymbols: ReadonlyMap<number, SymbolRef>;
  /** Translated slot → instruction as handed in; -1 for what stands for none of them. Ascending but for those. */
  readonly original: Int32Array;
  /** Function → its first translated slot. */
  readonly functionStarts: readonly number[];
  /** Bytes of stack of each function, as the verifier's statistics print them. */
  readonly stackDepths: readonly number[];
  /** Ascending, and no two at one instruction. */
  readonly lines: readonly TranslatedLine[];
  /** Without the functions that the kernel tells nobody of, which stand behind all others. */
  readonly jit: JitProgram;
}

/**
 * Rewrites an accepted program. The few failures are the kernel's own: their message, where there is one, is the log's
 * sentence.
 */
export function rewrite(input: VerifiedProgram): Outcome<Rewritten> {
  const draft = draftOf(input);
  const rejection = runPasses(draft, input);
  if (rejection !== null) {
    const { message, errno, instruction } = rejection;
    return fail({ stage: 'VERIFY', code: 'REWRITE_REFUSED', message, errno, instruction });
  }
  if (namesRemovedFunction(draft)) {
    const message = 'bpf-jitd: not supported yet: a callback that never runs, removed while its address is still taken';
    return fail({ stage: 'VERIFY', code: 'UNSUPPORTED', message, errno: -EOPNOTSUPP });
  }
  return ok(result(draft, input));
}

/** A loop that runs zero times leaves its callback unvisited: it is dead code, but the loop itself still names it. */
function namesRemovedFunction(draft: Draft): boolean {
  const starts = new Set(draft.functions.map((f) => f.start));
  const { insns } = draft;
  for (let i = 0; i < insns.length; i++) {
    if (refersToFunction(insns, i) && !starts.has(branchTarget(insns, i))) return true;
    if (insns.opcode(i) === LD_IMM64) i++;
  }
  return false;
}

function draftOf(input: VerifiedProgram): Draft {
  const insns = input.insns.clone();
  const length = insns.length;
  return {
    insns,
    facts: [...input.facts],
    origin: Int32Array.from({ length }, (_, i) => i),
    symbols: resolveAddresses(input, insns),
    functions: input.subprograms
      .filter((s) => s.start < length)
      .map((s, f): DraftFunction => ({
        start: s.start,
        name: functionName(input, f, s.typeId),
        stackDepth: s.stackDepth,
        isExceptionCallback: s.isExceptionCallback,
        tailCallReachable: s.tailCallReachable,
        hidden: false,
      })),
    lines: input.program.lineInfo.map((info) => ({ instruction: info.instruction, info })),
  };
}

/** Without BTF the kernel calls every function but the first "F". */
function functionName(input: VerifiedProgram, f: number, typeId: number): string {
  if (f === 0) return input.program.functionName;
  return typeId === 0 || input.btf === null ? 'F' : input.btf.typeName(typeId);
}

/** Null where all went well. */
function runPasses(draft: Draft, input: VerifiedProgram): Rejection | null {
  removeFastcallSpills(draft, input.subprograms);
  let rejection = apply(draft, inlineLoops(draft));
  if (rejection !== null) return rejection;
  if (input.capable) removeDeadCode(draft);
  else trapDeadCode(draft);
  rejection = apply(draft, addPrologue(draft, input)) ?? apply(draft, convertAccesses(draft, input));
  if (rejection !== null) return rejection;

  if (input.seenException && input.exceptionCallbackSubprog === 0) addExceptionCallback(draft);
  const fixups = fixUpInstructions(draft, input);
  if (fixups instanceof Rejection) return fixups;
  return (
    apply(draft, fixups.patches) ??
    apply(draft, initMayGotoCounters(draft, fixups.mayGoto)) ??
    apply(draft, addZeroExtensions(draft))
  );
}

function apply(draft: Draft, patches: Patches | Rejection): Rejection | null {
  if (patches instanceof Rejection) return patches;
  const overflow = splice(draft, patches);
  if (overflow < 0) return null;
  const original = draft.facts[overflow]!.original;
  return new Rejection(`insn ${original} cannot be patched due to 16-bit range`, -ENOMEM, original);
}

function result(draft: Draft, input: VerifiedProgram): Rewritten {
  const dump = dumpTranslated(draft, input.arenaMap);
  return {
    translated: dump.insns,
    translatedSymbols: dump.symbols,
    original: draft.origin,
    functionStarts: draft.functions.map((f) => f.start),
    stackDepths: draft.functions.map((f) => f.stackDepth),
    lines: draft.lines,
    jit: {
      functions: cutIntoFunctions(draft, input.seenException),
      arenaMap: input.arenaMap,
      type: input.program.type,
    },
  };
}
