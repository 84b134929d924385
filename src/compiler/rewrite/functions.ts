/**
 * Cuts the translated program into the functions that the JIT compiles one by one (jit_subprogs, since Linux 4.16).
 *
 * Calls and function addresses name the callee by its number; what an LD_IMM64 stands for is told beside it, its source
 * register says so of functions alone.
 */
import * as isa from '../isa/opcodes.js';
import type { ArgumentModel } from '../btf/argument-models.js';
import type { JitFunction, SymbolRef } from './program.js';
import { functionAt, functionEnd, type Draft } from './draft.js';
import { branchTarget, refersToFunction } from './sequence.js';

export function cutIntoFunctions(draft: Draft, seenException: boolean): JitFunction[] {
  const symbols = functionSymbols(draft);
  return draft.functions
    .filter((fn) => !fn.hidden)
    .map((fn, f) => {
      const end = functionEnd(draft, f);
      const insns = draft.insns.slice(fn.start, end);
      for (let i = 0; i < insns.length; i++) {
        if (insns.opcode(i) !== isa.LD_IMM64) continue;
        if (insns.src(i) !== isa.PSEUDO_FUNC) insns.setSrc(i, 0);
        if (symbols[f]!.has(i)) {
          insns.setImm(i, 0);
          insns.setImm(i + 1, 0);
        }
        i++;
      }
      return {
        name: fn.name,
        instructions: insns,
        symbols: symbols[f]!,
        kernelCalls: calledFunctions(symbols[f]!),
        stackDepth: fn.stackDepth,
        original: draft.origin.slice(fn.start, end),
        isSubprogram: f > 0,
        exceptionBoundary: f === 0 && seenException,
        exceptionCallback: fn.isExceptionCallback,
        tailCallReachable: fn.tailCallReachable,
      };
    });
}

/** How the kernel functions that are called take their arguments, by the call's slot. */
function calledFunctions(symbols: ReadonlyMap<number, SymbolRef>): Map<number, readonly ArgumentModel[]> {
  const models = new Map<number, readonly ArgumentModel[]>();
  for (const [slot, symbol] of symbols) {
    if (symbol.kind === 'kernel' && symbol.arguments !== undefined) models.set(slot, symbol.arguments);
  }
  return models;
}

/** Of each function, by slot counted from its start. */
function functionSymbols(draft: Draft): Map<number, SymbolRef>[] {
  return draft.functions.map((fn, f) => {
    const symbols = new Map<number, SymbolRef>();
    const end = functionEnd(draft, f);
    for (let i = fn.start; i < end; i++) {
      const known = draft.symbols.get(i);
      if (known !== undefined) symbols.set(i - fn.start, known);
      else if (draft.functions.length > 1 && refersToFunction(draft.insns, i)) {
        symbols.set(i - fn.start, { kind: 'function', index: functionAt(draft, branchTarget(draft.insns, i)) });
      }
    }
    return symbols;
  });
}
