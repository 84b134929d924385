/**
 * Zero extension of 32-bit results. Most of s390x's 32-bit instructions leave the upper half of a register alone; the
 * verifier, which the kernel's JIT asks for it, puts a `w = w` of its own kind (immediate 1) behind results that are read in
 * full.
 */
import type { Instructions } from '../../../isa/instructions.js';
import * as isa from '../../../isa/opcodes.js';
import { rre } from '../encode/formats.js';
import { LLGFR } from '../encode/opcodes.js';
import type { FunctionState } from '../state.js';

/** Extends a 32-bit result, unless the verifier has seen to it. */
export function extendResult(s: FunctionState, register: number): void {
  if (!s.isExtended) rre(s.code, LLGFR, register, register);
}

/** Whether slot `i` is an extension that the code of the slot before makes superfluous. */
export function isCovered(instructions: Instructions, i: number): boolean {
  return i < instructions.length && isExtension(instructions, i) && extends64(instructions, i - 1);
}

function isExtension(instructions: Instructions, i: number): boolean {
  return instructions.opcode(i) === (isa.ALU | isa.MOV | isa.X) && instructions.imm(i) === 1;
}

/** Whether the code of slot `i` writes all 64 bits, and the kernel counts on it. */
function extends64(instructions: Instructions, i: number): boolean {
  const opcode = instructions.opcode(i);
  switch (opcode & isa.CLASS_MASK) {
    case isa.ALU:
      return arithmeticExtends(instructions, i, opcode);
    case isa.ALU64:
      return opcode === (isa.ALU64 | isa.END) && instructions.imm(i) === 16;
    case isa.LDX:
      return loadExtends(opcode);
    case isa.STX:
      return isWordExchange(opcode) && instructions.imm(i) === isa.XCHG;
    default:
      return false;
  }
}

function arithmeticExtends(instructions: Instructions, i: number, opcode: number): boolean {
  const isRegister = (opcode & isa.X) !== 0;
  switch (opcode & isa.OP_MASK) {
    case isa.MOV:
      return !isRegister || instructions.off(i) === 0;
    case isa.DIV:
    case isa.MOD:
      return isRegister || instructions.imm(i) !== 1;
    case isa.END:
      return instructions.imm(i) === 16;
    default:
      return false;
  }
}

function loadExtends(opcode: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  const isSigned = mode === isa.MEMSX || mode === isa.PROBE_MEMSX;
  return !isSigned && (opcode & isa.SIZE_MASK) !== isa.DW;
}

function isWordExchange(opcode: number): boolean {
  const mode = opcode & isa.MODE_MASK;
  return (mode === isa.ATOMIC || mode === isa.PROBE_ATOMIC) && (opcode & isa.SIZE_MASK) === isa.W;
}
