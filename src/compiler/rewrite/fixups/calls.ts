import * as isa from '../../isa/opcodes.js';
import type { Instructions } from '../../isa/instructions.js';
import type { KernelSymbol } from '../program.js';
import type { FixupContext } from './fixup.js';

/** Whether slot `i` calls this helper, by number. */
export function isHelperCall(insns: Instructions, i: number, id: number): boolean {
  return insns.opcode(i) === (isa.JMP | isa.CALL) && insns.src(i) === 0 && insns.imm(i) === id;
}

/** Turns the helper's number in the call at `i` into a call of a kernel symbol. */
export function callSymbol(context: FixupContext, i: number, name: string): void {
  context.draft.insns.setImm(i, 0);
  context.draft.symbols.set(i, kernelSymbol(name));
}

export function kernelSymbol(name: string): KernelSymbol {
  return { kind: 'kernel', name, addend: 0 };
}

/** Symbol of the helper's implementation for this kind of program. */
export function helperSymbol(context: FixupContext, id: number): string {
  const { program, progType, expectedAttachType, sleepable } = context.input;
  const { attachBtfId, capabilities } = program;
  const proto = context.profile.helper(progType, expectedAttachType, attachBtfId, id, sleepable, capabilities);
  if (proto === null) throw new Error(`helper ${id} was called and is not there`);
  return proto.symbol;
}
