/** Atomic operations on memory. AND, OR and XOR that answer the old value have no instruction: they are tried until nobody came between. */
import * as isa from '../../../isa/opcodes.js';
import { arithmetic, opcodeOf, AND, OR, XOR, ADD } from '../encode/arithmetic.js';
import { atomic, atomicIndexed, CMPXCHG, XADD, XCHG } from '../encode/atomic.js';
import { NOT_EQUAL, SHORT_JUMP_BYTES, shortJumpIf } from '../encode/control.js';
import { load } from '../encode/memory.js';
import { move } from '../encode/move.js';
import { ARENA_BASE, MACHINE_REGISTER, RESULT, SCRATCH } from '../registers.js';
import type { FunctionState } from '../state.js';
import { CLEARS_NOTHING } from './memory.js';

/** BPF's AX, which keeps R0 while a comparison needs RAX. */
const HIDDEN = MACHINE_REGISTER[isa.AX]!;

/** Lowers an atomic operation; false for one that there is no code for. */
export function lowerAtomic(s: FunctionState, i: number, opcode: number): boolean {
  const { instructions } = s.fn;
  const size = opcode & isa.SIZE_MASK;
  if (size !== isa.W && size !== isa.DW) return false;
  const wide = size === isa.DW;
  const rs = MACHINE_REGISTER[instructions.src(i)]!;
  const base = MACHINE_REGISTER[instructions.dst(i)]!;
  const off = instructions.off(i);
  const operation = instructions.imm(i);
  const machine = opcodeFor(operation);
  if ((opcode & isa.MODE_MASK) === isa.PROBE_ATOMIC) {
    if (machine < 0) return false;
    const at = s.code.length;
    atomicIndexed(s.code, machine, wide, rs, base, ARENA_BASE, off);
    s.mayFault(at, CLEARS_NOTHING);
  } else if (machine >= 0) atomic(s.code, machine, wide, rs, base, off);
  else {
    const combine = combinationFor(operation);
    if (combine < 0) return false;
    fetchAndCombine(s, combine, wide, rs, base, off);
  }
  return true;
}

/** The machine's opcode for what is one instruction, else -1. */
function opcodeFor(operation: number): number {
  switch (operation) {
    case isa.ADD:
      return opcodeOf(ADD);
    case isa.AND:
      return opcodeOf(AND);
    case isa.OR:
      return opcodeOf(OR);
    case isa.XOR:
      return opcodeOf(XOR);
    case isa.ADD | isa.FETCH:
      return XADD;
    case isa.XCHG:
      return XCHG;
    case isa.CMPXCHG:
      return CMPXCHG;
    default:
      return -1;
  }
}

function combinationFor(operation: number): number {
  switch (operation) {
    case isa.AND | isa.FETCH:
      return AND;
    case isa.OR | isa.FETCH:
      return OR;
    case isa.XOR | isa.FETCH:
      return XOR;
    default:
      return -1;
  }
}

/** rs = *(base + off), which becomes what it was combined with rs. */
function fetchAndCombine(
  s: FunctionState,
  combine: number,
  wide: boolean,
  rs: number,
  base: number,
  off: number,
): void {
  const { code } = s;
  const operand = rs === RESULT ? HIDDEN : rs;
  const pointer = base === RESULT ? HIDDEN : base;
  move(code, true, HIDDEN, RESULT);
  const again = code.length;
  load(code, wide ? 3 : 2, RESULT, pointer, off);
  move(code, wide, SCRATCH, RESULT);
  arithmetic(code, combine, wide, SCRATCH, operand);
  atomic(code, CMPXCHG, wide, SCRATCH, pointer, off);
  shortJumpIf(code, NOT_EQUAL, again - code.length - SHORT_JUMP_BYTES);
  move(code, wide, operand, RESULT);
  move(code, true, RESULT, HIDDEN);
}
