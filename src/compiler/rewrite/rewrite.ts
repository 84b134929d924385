/**
 * From the program that the verifier accepted to what the JIT is given: the kernel's fix-ups, in the kernel's order
 * (the end of bpf_check, Linux 6.12).
 */
import type { Instructions } from '../isa/instructions.js';
import { LD_IMM64 } from '../isa/opcodes.js';
import type { JitProgram, SymbolRef } from './program.js';
import type { LineInfo } from '../load/program.js';
import type { Failure } from '../outcome.js';
import { EFAULT, ENOMEM } from '../verify/errno.js';
import { convertAccesses } from './accesses.js';
import { resolveAddresses } from './addresses.js';
import { inlineLoops } from './bpf-loop.js';
import { checkForInterpreter, dumpInterpreted } from './interpreter.js';
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
  /** Of the functions that the kernel tells of: each one's index among the verifier's subprograms. */
  readonly subprograms: readonly number[];
  /** Bytes of stack of each function, as the verifier's statistics print them. */
  readonly stackDepths: readonly number[];
  /** Ascending, and no two at one instruction. */
  readonly lines: readonly TranslatedLine[];
  /** Without the functions that the kernel tells nobody of, which stand behind all others. */
  readonly jit: JitProgram;
}

/** A failure, and the functions' stacks as they were by then: the log's statistics tell of them. */
export interface RewriteRefused {
  readonly ok: false;
  readonly failure: Failure;
  readonly stackDepths: readonly number[];
}

/**
 * Rewrites an accepted program. The few failures are the kernel's own: their message, where there is one, is the log's
 * sentence.
 */
export function rewrite(input: VerifiedProgram): { readonly ok: true; readonly value: Rewritten } | RewriteRefused {
  const draft = draftOf(input);
  const { interpretsPrograms } = input.profile.behaviour;
  const rejection =
    runPasses(draft, input) ?? (interpretsPrograms ? checkForInterpreter(draft) : findRemovedFunction(draft));
  if (rejection === null) return { ok: true, value: result(draft, input) };
  const { message, errno, instruction } = rejection;
  const failure: Failure = { stage: 'VERIFY', code: 'REWRITE_REFUSED', message, errno, instruction };
  return { ok: false, failure, stackDepths: draft.functions.map((f) => f.stackDepth) };
}

/**
 * A loop of zero iterations leaves its callback unwalked: the callback is dead code and is removed, but the loop still
 * names it. Where functions are left, the kernel looks among them for one that starts there, and gives up without a word
 * if none does (as the callback's neighbour may); a program of one function it compiles as it is.
 */
function findRemovedFunction(draft: Draft): Rejection | null {
  const { insns, functions, facts } = draft;
  if (functions.length === 1) return null;
  const starts = new Set(functions.map((f) => f.start));
  for (let i = 0; i < insns.length; i++) {
    const isLost = refersToFunction(insns, i) && !starts.has(branchTarget(insns, i));
    if (isLost) return new Rejection('', -EFAULT, facts[i]!.original);
    if (insns.opcode(i) === LD_IMM64) i++;
  }
  return null;
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
        subprogram: f,
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
    apply(draft, addZeroExtensions(draft, input.profile.behaviour.zeroExtendsResults))
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
  const dump = input.profile.behaviour.interpretsPrograms
    ? dumpInterpreted(draft, input)
    : dumpTranslated(draft, input.arenaMap);
  return {
    translated: dump.insns,
    translatedSymbols: dump.symbols,
    original: draft.origin,
    functionStarts: draft.functions.map((f) => f.start),
    subprograms: draft.functions.filter((f) => !f.hidden).map((f) => f.subprogram),
    stackDepths: draft.functions.map((f) => f.stackDepth),
    lines: draft.lines,
    jit: {
      functions: cutIntoFunctions(draft, input.seenException),
      arenaMap: input.arenaMap,
      type: input.program.type,
    },
  };
}
