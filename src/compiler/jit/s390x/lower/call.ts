/**
 * Calls, of the kernel's functions and of the program's own: the target is a literal, the count of tail calls goes to
 * where the callee has it, and back from one that may have made some.
 */
import { PSEUDO_CALL, PSEUDO_KFUNC_CALL } from '../../../isa/opcodes.js';
import { addOffset } from '../../address.js';
import type { ArgumentModel } from '../../program.js';
import { ril, rr, rre, ss } from '../encode/formats.js';
import * as op from '../encode/opcodes.js';
import { LINK, MACHINE_REGISTER, RETURN, STACK, WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { CALLEE_COUNT, COUNT_BYTES, countOffset } from './frame.js';

/** Lowers a call; false where nothing says what it calls, or with what arguments. */
export function lowerCall(s: FunctionState, i: number): boolean {
  const { code, fn } = s;
  const own = fn.instructions.src(i) === PSEUDO_CALL;
  // The fifth argument is in a register that the callee saves: it must be saved for this function's own caller.
  code.named |= 1 << MACHINE_REGISTER[5]!;
  s.calls = true;
  ss(code, op.MVC, COUNT_BYTES, STACK, CALLEE_COUNT, STACK, countOffset(s));
  if (fn.instructions.src(i) === PSEUDO_KFUNC_CALL) {
    const models = fn.kernelCalls?.get(i);
    if (models === undefined || !extendArguments(s, models)) return false;
  }
  if (!loadTarget(s, i, own)) return false;
  if (s.options.cpu.expolines) ril(code, op.BRASL, LINK, s.distanceTo(s.layout.thunk));
  else rr(code, op.BASR, LINK, WORK1);
  rre(code, op.LGR, LINK, RETURN);
  if (own) ss(code, op.MVC, COUNT_BYTES, STACK, countOffset(s), STACK, CALLEE_COUNT);
  return true;
}

function loadTarget(s: FunctionState, i: number, own: boolean): boolean {
  const { instructions, symbols } = s.fn;
  const symbol = symbols.get(i);
  const { link } = s.options;
  if (symbol !== undefined) s.loadSymbol(WORK1, symbol);
  else if (own && s.isAlone) {
    // A callback that never runs, removed: the call is one of NULL.
    s.loadLiteral64(WORK1, 0, 0);
  } else {
    if (link === null) return false;
    const target = own ? link.functions[instructions.off(i)] : addOffset(link.callBase, instructions.imm(i));
    if (target === undefined) return false;
    s.loadLiteral64(WORK1, target.hi, target.lo);
  }
  return true;
}

/** The ABI has callers extend arguments to 64 bits; which way, the function's types say. False for a size that no register has. */
function extendArguments({ code }: FunctionState, models: readonly ArgumentModel[]): boolean {
  for (let k = 0; k < models.length; k++) {
    const { bytes, signed } = models[k]!;
    const register = MACHINE_REGISTER[1 + k]!;
    switch (bytes) {
      case 1:
        rre(code, signed ? op.LGBR : op.LLGCR, register, register);
        break;
      case 2:
        rre(code, signed ? op.LGHR : op.LLGHR, register, register);
        break;
      case 4:
        rre(code, signed ? op.LGFR : op.LLGFR, register, register);
        break;
      case 8:
        break;
      default:
        return false;
    }
  }
  return true;
}
