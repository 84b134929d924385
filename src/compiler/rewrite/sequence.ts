import * as isa from '../isa/opcodes.js';
import type { Instructions } from '../isa/instructions.js';
import type { SymbolRef } from './program.js';

/** Fields of one instruction in `Sequence.fields`: opcode, destination, source, offset, immediate. */
const FIELDS = 5;

/**
 * The instructions that take the place of one instruction of the program, in the making.
 *
 * Offsets of jumps are relative and stay inside the sequence (its end included: the instruction behind). A jump or call
 * that leaves it names the instruction it goes to, by its index before the pass: `jumpOut`, `callFunction`, `copy`.
 */
export class Sequence {
  private readonly fields: number[] = [];
  /** Position → what its immediate stands for. */
  readonly symbols = new Map<number, SymbolRef>();
  /** Position → index before the pass of the instruction that this jump or call goes to. */
  readonly targets = new Map<number, number>();
  /** Jumps to the replaced instruction land on the last one, behind what was put in front of it. */
  landOnLast = false;

  get length(): number {
    return this.fields.length / FIELDS;
  }

  /** Writes the sequence's instructions to slots `at` and following. */
  writeTo(insns: Instructions, at: number): void {
    const f = this.fields;
    for (let k = 0, p = 0; p < f.length; k++, p += FIELDS) {
      insns.set(at + k, f[p]!, f[p + 1]!, f[p + 2]!, f[p + 3]!, f[p + 4]!);
    }
  }

  emit(opcode: number, dst: number, src: number, off: number, imm: number): this {
    this.fields.push(opcode, dst, src, off, imm);
    return this;
  }

  /** The program's own instruction `i`, as it stands: its symbol and where it jumps to come along. */
  copy(from: { readonly insns: Instructions; readonly symbols: ReadonlyMap<number, SymbolRef> }, i: number): this {
    const { insns } = from;
    const symbol = from.symbols.get(i);
    if (symbol !== undefined) this.symbols.set(this.length, symbol);
    const target = branchTarget(insns, i);
    if (target >= 0) this.targets.set(this.length, target);
    return this.emit(insns.opcode(i), insns.dst(i), insns.src(i), insns.off(i), insns.imm(i));
  }

  /** Wire instructions, 8 bytes each, whose jumps stay among themselves. */
  raw(insns: Instructions): this {
    for (let i = 0; i < insns.length; i++) {
      this.emit(insns.opcode(i), insns.dst(i), insns.src(i), insns.off(i), insns.imm(i));
    }
    return this;
  }

  mov64(dst: number, src: number): this {
    return this.emit(isa.ALU64 | isa.MOV | isa.X, dst, src, 0, 0);
  }
  mov64Imm(dst: number, imm: number): this {
    return this.emit(isa.ALU64 | isa.MOV | isa.K, dst, 0, 0, imm);
  }
  mov32(dst: number, src: number): this {
    return this.emit(isa.ALU | isa.MOV | isa.X, dst, src, 0, 0);
  }
  mov32Imm(dst: number, imm: number): this {
    return this.emit(isa.ALU | isa.MOV | isa.K, dst, 0, 0, imm);
  }
  /** Adds this CPU's base to a per-CPU pointer (BPF_MOV64_PERCPU_REG, since 6.10). */
  movPerCpu(dst: number, src: number): this {
    return this.emit(isa.ALU64 | isa.MOV | isa.X, dst, src, isa.ADDR_PERCPU, 0);
  }
  alu64(operation: number, dst: number, src: number): this {
    return this.emit(isa.ALU64 | operation | isa.X, dst, src, 0, 0);
  }
  alu64Imm(operation: number, dst: number, imm: number): this {
    return this.emit(isa.ALU64 | operation | isa.K, dst, 0, 0, imm);
  }
  alu32(operation: number, dst: number, src: number): this {
    return this.emit(isa.ALU | operation | isa.X, dst, src, 0, 0);
  }
  alu32Imm(operation: number, dst: number, imm: number): this {
    return this.emit(isa.ALU | operation | isa.K, dst, 0, 0, imm);
  }
  load(size: number, dst: number, src: number, off: number): this {
    return this.emit(isa.LDX | isa.MEM | size, dst, src, off, 0);
  }
  store(size: number, dst: number, src: number, off: number): this {
    return this.emit(isa.STX | isa.MEM | size, dst, src, off, 0);
  }
  storeImm(size: number, dst: number, off: number, imm: number): this {
    return this.emit(isa.ST | isa.MEM | size, dst, 0, off, imm);
  }
  jump(condition: number, dst: number, src: number, off: number): this {
    return this.emit(isa.JMP | condition | isa.X, dst, src, off, 0);
  }
  jump32(condition: number, dst: number, src: number, off: number): this {
    return this.emit(isa.JMP32 | condition | isa.X, dst, src, off, 0);
  }
  jumpImm(condition: number, dst: number, imm: number, off: number): this {
    return this.emit(isa.JMP | condition | isa.K, dst, 0, off, imm);
  }
  jump32Imm(condition: number, dst: number, imm: number, off: number): this {
    return this.emit(isa.JMP32 | condition | isa.K, dst, 0, off, imm);
  }
  ja(off: number): this {
    return this.emit(isa.JMP | isa.JA, 0, 0, off, 0);
  }
  exit(): this {
    return this.emit(isa.JMP | isa.EXIT, 0, 0, 0, 0);
  }
  /** A conditional jump out of the sequence, to the instruction with this index before the pass. */
  jumpOut(condition: number, dst: number, imm: number, target: number): this {
    this.targets.set(this.length, target);
    return this.jumpImm(condition, dst, imm, 0);
  }
  /** A call of the program's own function that starts at this index before the pass. */
  callFunction(start: number): this {
    this.targets.set(this.length, start);
    return this.emit(isa.JMP | isa.CALL, 0, isa.PSEUDO_CALL, 0, 0);
  }
  /** A call of a kernel symbol. */
  callKernel(name: string): this {
    this.symbols.set(this.length, { kind: 'kernel', name, addend: 0 });
    return this.emit(isa.JMP | isa.CALL, 0, 0, 0, 0);
  }
  /** LD_IMM64 of a symbol's address. */
  loadSymbol(dst: number, symbol: SymbolRef): this {
    this.symbols.set(this.length, symbol);
    return this.emit(isa.LD_IMM64, dst, 0, 0, 0).emit(0, 0, 0, 0, 0);
  }
  /** LD_IMM64 of zero. */
  loadNull(dst: number): this {
    return this.emit(isa.LD_IMM64, dst, 0, 0, 0).emit(0, 0, 0, 0, 0);
  }
}

/** Whether slot `i` names a function of the program by a relative immediate: a call, or LD_IMM64 of its address. */
export function refersToFunction(insns: Instructions, i: number): boolean {
  const opcode = insns.opcode(i);
  if (opcode === (isa.JMP | isa.CALL)) return insns.src(i) === isa.PSEUDO_CALL;
  return opcode === isa.LD_IMM64 && insns.src(i) === isa.PSEUDO_FUNC;
}

/** Whether this opcode jumps inside its function (calls, exits and tail calls do not). */
export function isJump(opcode: number): boolean {
  const cls = opcode & isa.CLASS_MASK;
  if (cls === isa.JMP32) return true;
  if (cls !== isa.JMP) return false;
  const operation = opcode & isa.OP_MASK;
  return operation !== isa.CALL && operation !== isa.EXIT && operation !== isa.TAIL_CALL;
}

/** Whether the jump distance stands in the immediate (`gotol`, cpu v4) rather than in the 16-bit offset. */
export function isLongJump(opcode: number): boolean {
  return opcode === (isa.JMP32 | isa.JA);
}

/** Index of the instruction that slot `i` jumps to, calls or takes the address of; -1 where it does none of it. */
export function branchTarget(insns: Instructions, i: number): number {
  if (refersToFunction(insns, i)) return i + 1 + insns.imm(i);
  const opcode = insns.opcode(i);
  if (!isJump(opcode)) return -1;
  return i + 1 + (isLongJump(opcode) ? insns.imm(i) : insns.off(i));
}
