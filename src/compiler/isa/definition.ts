/** Which register an instruction writes, and whether all of it. */
import type { Instructions } from './instructions.js';
import * as op from './opcodes.js';

const NO_REGISTER = -1;

/** The register that instruction `i` writes as its own operand, -1 for none: calls' results are not counted. */
export function definedRegister(insns: Instructions, i: number): number {
  const opcode = insns.opcode(i);
  switch (opcode & op.CLASS_MASK) {
    case op.JMP:
    case op.JMP32:
    case op.ST:
      return NO_REGISTER;
    case op.STX:
      return fetchedInto(opcode, insns.imm(i), insns.src(i));
    default:
      return insns.dst(i);
  }
}

/** Where an atomic operation leaves the old value. */
function fetchedInto(opcode: number, imm: number, src: number): number {
  const mode = opcode & op.MODE_MASK;
  const fetches = (mode === op.ATOMIC || mode === op.PROBE_ATOMIC) && (imm & op.FETCH) !== 0;
  if (!fetches) return NO_REGISTER;
  return imm === op.CMPXCHG ? op.R0 : src;
}

/** Whether instruction `i` writes the lower half of a register, whose upper half must be zero then. */
export function definesLowerHalf(insns: Instructions, i: number): boolean {
  if (definedRegister(insns, i) < 0) return false;
  const opcode = insns.opcode(i);
  switch (opcode & op.CLASS_MASK) {
    case op.ALU64:
      return isPartialSwap(opcode, insns.imm(i));
    case op.ALU:
      return (opcode & op.OP_MASK) !== op.END || insns.imm(i) !== 64;
    case op.LDX:
      return (opcode & op.SIZE_MASK) !== op.DW && (opcode & op.MODE_MASK) !== op.MEMSX;
    case op.LD:
      return (opcode & op.MODE_MASK) !== op.IMM;
    default:
      return (opcode & op.SIZE_MASK) !== op.DW;
  }
}

/** An unconditional swap (since Linux 6.6) of 16 or 32 bits. */
function isPartialSwap(opcode: number, imm: number): boolean {
  return (opcode & op.OP_MASK) === op.END && (imm === 16 || imm === 32);
}
