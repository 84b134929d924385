/**
 * A z/Architecture processor for the kernel's functions: general registers and the condition code. What each instruction
 * does stands in instructions.ts and the tables beside it (IBM, z/Architecture Principles of Operation, SA22-7832).
 */
import { LANDING, MASK32, MASK64, Processor, STACK_TOP, TASK } from '../processor.js';
import { operandsOf, type Operands } from './operands.js';
import { instructionOf } from './instructions.js';
import type { Cpu, Instruction } from './table.js';

/** Bytes below the stack pointer's target that a caller leaves for its callee to save registers in. */
const SAVE_AREA = 160n;
/** Absolute addresses below are the processor's own page, where the kernel keeps the current task. */
const LOWCORE_SIZE = 0x2000n;
/** Registers of the ABI: first argument and result, return address, stack pointer. */
const R2 = 2;
const R14 = 14;
const R15 = 15;

export class S390xProcessor extends Processor implements Cpu {
  readonly r = new Array<bigint>(16).fill(0n);
  cc = 0;
  /** Instructions that ran before: the kernel's text does not change. */
  private readonly decoded = new Map<bigint, readonly [Operands, Instruction | undefined]>();

  protected enter(args: readonly bigint[]): void {
    this.r.fill(0n);
    args.forEach((value, i) => (this.r[R2 + i] = value));
    this.r[R14] = LANDING;
    this.r[R15] = STACK_TOP - SAVE_AREA;
  }

  protected leave(result: bigint): void {
    this.r[R2] = result;
    this.pc = this.r[R14]!;
  }

  protected get result(): bigint {
    return this.r[R2]!;
  }

  argument(i: number): bigint {
    return this.r[R2 + i]!;
  }

  /** No further than the return address in its register: what frames look like is the compiler's secret. */
  callers(): bigint[] {
    return [this.pc, this.r[R14]!];
  }

  override load(address: bigint, size: number): bigint {
    if ((address & MASK64) >= LOWCORE_SIZE) return super.load(address, size);
    return size === 8 ? TASK : 0n;
  }

  protected step(): void {
    let decoded = this.decoded.get(this.pc);
    if (decoded === undefined) {
      const operands = operandsOf(this.memory, this.pc);
      decoded = [operands, instructionOf(operands)];
      this.decoded.set(this.pc, decoded);
    }
    const [operands, instruction] = decoded;
    this.pc = operands.next;
    if (instruction === undefined) this.unknown(operands.text);
    instruction(this, operands);
  }

  /** Runs one instruction that has been fetched. */
  execute(operands: Operands): void {
    const instruction = instructionOf(operands);
    if (instruction === undefined) this.unknown(operands.text);
    instruction(this, operands);
  }

  jump(address: bigint): void {
    this.pc = address & MASK64;
  }

  holds(mask: number): boolean {
    return ((mask >> (3 - this.cc)) & 1) === 1;
  }

  set(register: number, value: bigint, width: number): void {
    const low = value & MASK32;
    this.r[register] = width === 64 ? value & MASK64 : (this.r[register]! & ~MASK32) | low;
  }

  address(base: number, index: number, displacement: number): bigint {
    const b = base === 0 ? 0n : this.r[base]!;
    const x = index === 0 ? 0n : this.r[index]!;
    return (b + x + BigInt(displacement)) & MASK64;
  }

  memoryOperand(address: bigint, size: number, signed: boolean): bigint {
    const value = this.load(address, size);
    return signed ? BigInt.asIntN(size * 8, value) : value;
  }

  fetch(address: bigint): Operands {
    return operandsOf(this.memory, address);
  }
}
