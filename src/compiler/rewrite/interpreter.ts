/**
 * Programs on kernels without a JIT (the end of fixup_call_args, kernel/bpf/verifier.c, Linux 6.12).
 *
 * The program stays one: calls between functions are relative jumps into the interpreter, of which the kernel has one for
 * each size of stack (`__bpf_prog_run_args32`, … 64, … 512). What the interpreter cannot do is refused at the very end.
 */
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import { EINVAL } from '../verify/errno.js';
import type { SymbolTable } from '../targets/profile.js';
import type { VerifiedProgram } from '../verify/verify.js';
import { functionAt, type Draft } from './draft.js';
import { dumpTranslated, type Dump } from './dump.js';
import { Rejection } from './rejection.js';
import { branchTarget, refersToFunction } from './sequence.js';

const STACK_STEP = 32;
/** What the immediates of calls count from. */
const CALL_BASE = '__bpf_call_base_args';

/** What the interpreter cannot run, or null. */
export function checkForInterpreter({ insns, functions, facts }: Draft): Rejection | null {
  if (functions.length > 1 && functions[0]!.tailCallReachable) {
    return new Rejection('tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls', -EINVAL, 0);
  }
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) !== isa.LD_IMM64) continue;
    if (insns.src(i) === isa.PSEUDO_FUNC) {
      return new Rejection('callbacks are not allowed in non-JITed programs', -EINVAL, facts[i]!.original);
    }
    i++;
  }
  return null;
}

/** The program as the kernel shows it: a call's distance stands in its offset, the interpreter in its immediate. */
export function dumpInterpreted(draft: Draft, { arenaMap, profile }: VerifiedProgram): Dump {
  const dump = dumpTranslated(draft, arenaMap);
  for (let i = 0; i < draft.insns.length; i++) {
    if (draft.insns.opcode(i) === isa.LD_IMM64) i++;
    else if (refersToFunction(draft.insns, i)) showCall(draft, dump.insns, i, profile.symbols);
  }
  return dump;
}

function showCall(draft: Draft, insns: Instructions, i: number, symbols: SymbolTable): void {
  const callee = draft.functions[functionAt(draft, branchTarget(draft.insns, i))]!;
  const stack = Math.ceil(Math.max(callee.stackDepth, 1) / STACK_STEP) * STACK_STEP;
  insns.setOff(i, draft.insns.imm(i));
  insns.setImm(i, lowWord(symbols, `__bpf_prog_run_args${stack}`) - lowWord(symbols, CALL_BASE));
}

/** The lower half of an address: the kernel's own code lies within 4 GiB. */
function lowWord(symbols: SymbolTable, name: string): number {
  return symbols.address(name)?.[1] ?? 0;
}
