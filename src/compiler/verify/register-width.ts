/** Whether an instruction works on all 64 bits of a register or on the low half alone, by its opcode. */
import type { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';

const NARROW = 0;
const WIDE = 1;
/** More than the opcode decides. */
const DEPENDS = 2;

/** NARROW, WIDE or DEPENDS of each opcode, for registers read and for the one written. */
const READS = Uint8Array.from({ length: 256 }, (_, opcode) => readWidth(opcode));
const WRITES = Uint8Array.from({ length: 256 }, (_, opcode) => writtenWidth(opcode));

function isCall(opcode: number): boolean {
  return (opcode & op.OP_MASK) === op.CALL;
}

/** Arithmetic and jumps: 64-bit classes work on all bits, byte swaps on those that the immediate names. */
function operationWidth(opcode: number): number {
  const cls = opcode & op.CLASS_MASK;
  if ((opcode & op.OP_MASK) === op.END && (cls === op.ALU || cls === op.ALU64)) return DEPENDS;
  return cls === op.ALU64 || cls === op.JMP ? WIDE : NARROW;
}

function readWidth(opcode: number): number {
  switch (opcode & op.CLASS_MASK) {
    case op.JMP:
      return isCall(opcode) ? DEPENDS : WIDE;
    case op.ALU:
    case op.ALU64:
    case op.JMP32:
      return operationWidth(opcode);
    case op.STX:
      return (opcode & op.SIZE_MASK) === op.DW ? WIDE : DEPENDS;
    default:
      return WIDE; // the address of a load or store
  }
}

function writtenWidth(opcode: number): number {
  const isDouble = (opcode & op.SIZE_MASK) === op.DW;
  switch (opcode & op.CLASS_MASK) {
    case op.JMP:
      return isCall(opcode) ? NARROW : WIDE;
    case op.ALU:
    case op.ALU64:
    case op.JMP32:
      return operationWidth(opcode);
    case op.LDX:
      return isDouble || (opcode & op.MODE_MASK) === op.MEMSX ? WIDE : NARROW;
    case op.STX:
      return isDouble ? WIDE : NARROW;
    case op.LD:
      return (opcode & op.MODE_MASK) === op.IMM ? WIDE : NARROW;
    default:
      return WIDE;
  }
}

/** Whether instruction `i` reads all 64 bits of a register, which holds a scalar or a pointer. */
export function reads64(insns: Instructions, i: number, isScalar: boolean): boolean {
  const opcode = insns.opcode(i);
  const width = READS[opcode]!;
  if (width !== DEPENDS) return width === WIDE;
  switch (opcode & op.CLASS_MASK) {
    case op.JMP:
      return insns.src(i) !== op.PSEUDO_CALL;
    case op.STX:
      return !isScalar; // an address is read wholly, what is stored as far as it is stored
    default:
      return insns.imm(i) === 64;
  }
}

/** Whether instruction `i` defines all 64 bits of its destination. */
export function writes64(insns: Instructions, i: number): boolean {
  const width = WRITES[insns.opcode(i)]!;
  return width === DEPENDS ? insns.imm(i) === 64 : width === WIDE;
}
