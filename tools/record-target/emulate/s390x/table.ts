/** What the tables of instructions have in common. */
import type { Operands } from './operands.js';

/** The processor as instructions see it. */
export interface Cpu {
  readonly r: bigint[];
  /** The condition code, 0 to 3. */
  cc: number;
  /** Whether a mask of condition codes (bit 3 for 0 … bit 0 for 3) has the current one. */
  holds(mask: number): boolean;
  /** Sets a register, or its lower half alone. */
  set(register: number, value: bigint, width: number): void;
  /** An address of base, index (0: none) and displacement. */
  address(base: number, index: number, displacement: number): bigint;
  load(address: bigint, size: number): bigint;
  store(address: bigint, size: number, value: bigint): void;
  /** An integer in memory, sign-extended where `signed`. */
  memoryOperand(address: bigint, size: number, signed: boolean): bigint;
  /** Goes on at an address. */
  jump(address: bigint): void;
  /** The instruction at an address. */
  fetch(address: bigint): Operands;
  execute(operands: Operands): void;
}

export type Instruction = (cpu: Cpu, o: Operands) => void;
export type Table = readonly (readonly [opcode: number, instruction: Instruction])[];
