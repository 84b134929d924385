/**
 * Zero extension by hand, where the JIT's machine does not give it (since Linux 5.3).
 *
 * 32-bit results must leave the upper half of a register zero. Where the machine's instructions do not do so by themselves
 * (bpf_jit_needs_zext), an instruction whose result is read in all 64 bits is followed by a `w0 = w0` of its own kind
 * (immediate 1). One does on every machine (since 5.12): a 32-bit compare-and-exchange, which may leave r0 unwritten.
 */
import { definedRegister } from '../isa/definition.js';
import type { Instructions } from '../isa/instructions.js';
import * as isa from '../isa/opcodes.js';
import type { Draft } from './draft.js';
import type { Patches } from './splice.js';
import { Sequence } from './sequence.js';

/** `isWanted`: the JIT asks for zero extension. */
export function addZeroExtensions(draft: Draft, isWanted: boolean): Patches {
  const patches: Patches = new Map();
  const { insns, facts } = draft;
  for (let i = 0; i < insns.length; i++) {
    if (!facts[i]!.zeroExtend || !(isWanted || isCompareExchange(insns, i)) || isKernelCall(insns, i)) continue;
    const register = definedRegister(insns, i);
    if (register < 0) continue;
    patches.set(i, new Sequence().copy(draft, i).emit(isa.ALU | isa.MOV | isa.X, register, register, 0, 1));
  }
  return patches;
}

function isCompareExchange(insns: Instructions, i: number): boolean {
  const opcode = insns.opcode(i);
  const mode = opcode & isa.MODE_MASK;
  const isAtomic = mode === isa.ATOMIC || mode === isa.PROBE_ATOMIC;
  return (opcode & isa.CLASS_MASK) === isa.STX && isAtomic && insns.imm(i) === isa.CMPXCHG;
}

/** Results of kernel functions are extended by the call itself. */
function isKernelCall(insns: Instructions, i: number): boolean {
  return insns.opcode(i) === (isa.JMP | isa.CALL) && insns.src(i) === isa.PSEUDO_KFUNC_CALL;
}
