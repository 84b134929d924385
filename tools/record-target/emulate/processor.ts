/**
 * A processor that runs the recorded kernel's own small functions on the host: what all architectures' have in common.
 *
 * Why: much of what differs between kernels is code, not data: "which prototype has helper 25 for a cgroup program",
 * "what does a load at offset 40 of this context become". Such functions are pure (integers in, integers out, reading
 * constants). Running the kernel's own instructions gives their whole table in a second; questions put to the live
 * kernel (ask/) then confirm it.
 *
 * Only what compilers emit for such code is known: anything else is an error, never a guess. Writes go to an overlay, so
 * the kernel's memory stays what it was.
 */
import { LITTLE_ENDIAN, type ByteOrder } from '../../../src/compiler/bytes/byte-order.js';
import type { KernelMemory } from '../kernel/memory.js';

export const MASK64 = (1n << 64n) - 1n;
export const MASK32 = (1n << 32n) - 1n;
/** The return address that ends a call. */
export const LANDING = 0x7fff_0000_0000n;
/** Top of the stack of a call, in memory that the kernel does not have. */
export const STACK_TOP = 0x6fff_0000_0000n;
/** Where the current task lies for the functions: a task without any flag. */
export const TASK = 0x5200_0000_0000n;
/** Room for struct task_struct. */
const TASK_SIZE = 0x10000n;
/** Room below STACK_TOP. */
const STACK_BYTES = 0x10000;
const STEP_LIMIT = 200_000;

export class Trap extends Error {}

/** What stands in for a kernel function: it sees the arguments and answers the result. */
export type Substitute = (cpu: Processor) => bigint;

export interface ProcessorSetting {
  readonly memory: KernelMemory;
  readonly order: ByteOrder;
  /** By the function's address. */
  readonly substitutes: ReadonlyMap<bigint, Substitute>;
  readonly addressBits: number;
  isKernelAddress(value: bigint): boolean;
  /** Address of a symbol, or null. */
  symbol(name: string): bigint | null;
}

export abstract class Processor {
  /** What has been written, by address. */
  readonly written = new Map<bigint, number>();
  /** Addresses of bytes read that nobody wrote before, within the watched range. */
  readonly watched = new Set<number>();
  private readonly stack = new DataView(new ArrayBuffer(STACK_BYTES));
  watchStart = 0n;
  watchSize = 0;
  readonly order: ByteOrder;
  protected readonly memory: KernelMemory;
  protected pc = 0n;

  constructor(protected readonly setting: ProcessorSetting) {
    this.memory = setting.memory;
    this.order = setting.order;
  }

  /** Sets the registers for a call that returns to LANDING, with the stack at STACK_TOP. */
  protected abstract enter(args: readonly bigint[]): void;
  /** Goes back from a function that was not run, with its result. */
  protected abstract leave(result: bigint): void;
  /** Runs one instruction. */
  protected abstract step(): void;
  protected abstract get result(): bigint;
  /** Argument `i`, from 0, of the function that is being entered. */
  abstract argument(i: number): bigint;
  /** Where it stands, and where it would return to, innermost first, as far as the stack tells. */
  abstract callers(): bigint[];

  /** Calls a function and answers its result. What earlier calls wrote stays unless `reset`. */
  call(address: bigint, args: readonly bigint[]): bigint {
    this.enter(args.map((value) => value & MASK64));
    this.pc = address;
    for (let steps = 0; this.pc !== LANDING; steps++) {
      if (steps > STEP_LIMIT) throw new Trap('no end');
      const substitute = this.setting.substitutes.get(this.pc);
      if (substitute === undefined) this.step();
      else this.leave(substitute(this) & MASK64);
    }
    return this.result;
  }

  reset(): void {
    this.written.clear();
    this.watched.clear();
  }

  /** An integer of `size` bytes, in the machine's order. */
  load(address: bigint, size: number): bigint {
    address &= MASK64;
    const onStack = this.stackOffset(address, size);
    if (onStack >= 0) return this.stackValue(onStack, size);
    if (!this.isFresh(address, size)) {
      let value = 0n;
      for (let i = 0; i < size; i++) {
        const byte = BigInt(this.loadByte(address + BigInt(i)));
        value |= byte << BigInt(this.order.bitsBelow(i, 1, size));
      }
      return value;
    }
    switch (size) {
      case 1:
        return BigInt(this.memory.u8(address));
      case 2:
        return BigInt(this.memory.u16(address));
      case 4:
        return BigInt(this.memory.u32(address));
      default:
        return this.memory.u64(address);
    }
  }

  store(address: bigint, size: number, value: bigint): void {
    const onStack = this.stackOffset(address & MASK64, size);
    if (onStack >= 0) {
      this.setStackValue(onStack, size, value);
      return;
    }
    for (let i = 0; i < size; i++) {
      const byte = Number((value >> BigInt(this.order.bitsBelow(i, 1, size))) & 0xffn);
      this.written.set((address + BigInt(i)) & MASK64, byte);
    }
  }

  /** Copies an instruction of BPF in canonical form to memory, where it gets the machine's order; `loadInstruction` back. */
  storeInstruction(address: bigint, wire: bigint): void {
    this.store(address, 1, wire & 0xffn);
    this.store(address + 1n, 1, this.registers((wire >> 8n) & 0xffn));
    this.store(address + 2n, 2, (wire >> 16n) & 0xffffn);
    this.store(address + 4n, 4, wire >> 32n);
  }
  loadInstruction(address: bigint): bigint {
    const low = this.load(address, 1) | (this.registers(this.load(address + 1n, 1)) << 8n);
    return low | (this.load(address + 2n, 2) << 16n) | (this.load(address + 4n, 4) << 32n);
  }

  /** The byte of an instruction's two registers, turned where bit-fields are filled from the other end. */
  private registers(byte: bigint): bigint {
    return this.order === LITTLE_ENDIAN ? byte : (byte >> 4n) | ((byte & 15n) << 4n);
  }

  /** Where in the stack of calls an address lies, or -1. What was never written there reads as some earlier call left it. */
  private stackOffset(address: bigint, size: number): number {
    if (address >= STACK_TOP || address < STACK_TOP - BigInt(STACK_BYTES) || size > 8) return -1;
    const offset = STACK_BYTES - Number(STACK_TOP - address);
    return offset + size <= STACK_BYTES ? offset : -1;
  }

  private stackValue(at: number, size: number): bigint {
    const little = this.order === LITTLE_ENDIAN;
    if (size === 8) return this.stack.getBigUint64(at, little);
    if (size === 4) return BigInt(this.stack.getUint32(at, little));
    return BigInt(size === 2 ? this.stack.getUint16(at, little) : this.stack.getUint8(at));
  }

  private setStackValue(at: number, size: number, value: bigint): void {
    const little = this.order === LITTLE_ENDIAN;
    if (size === 8) this.stack.setBigUint64(at, value & MASK64, little);
    else if (size === 4) this.stack.setUint32(at, Number(value & MASK32), little);
    else if (size === 2) this.stack.setUint16(at, Number(value & 0xffffn), little);
    else this.stack.setUint8(at, Number(value & 0xffn));
  }

  /** Whether all of a range is the kernel's memory as it was. */
  private isFresh(address: bigint, size: number): boolean {
    if (!this.setting.isKernelAddress(address)) return false;
    if (this.written.size === 0) return true;
    for (let i = 0; i < size; i++) if (this.written.has(address + BigInt(i))) return false;
    return true;
  }

  private loadByte(address: bigint): number {
    const at = address - this.watchStart;
    if (at >= 0n && at < BigInt(this.watchSize)) this.watched.add(Number(at));
    const value = this.written.get(address);
    if (value !== undefined) return value;
    if (this.setting.isKernelAddress(address)) return this.memory.u8(address);
    if (at >= 0n && at < BigInt(this.watchSize)) return 0;
    if (address >= TASK && address < TASK + TASK_SIZE) return 0;
    throw new Trap(`read of ${address.toString(16)} at ${this.pc.toString(16)}`);
  }

  /** An instruction that is not known. */
  protected unknown(instruction: string): never {
    throw new Trap(`instruction ${instruction} before ${this.pc.toString(16)}`);
  }
}
