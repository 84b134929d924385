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
import { Room } from './room.js';
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
const STACK_BYTES = 0x4000;
/** What functions are handed, and write their answers to. */
export const SCRATCH = 0x5100_0000_0000n;
const SCRATCH_BYTES = 0x2000;
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
  private readonly stack: Room;
  private readonly scratch: Room;
  watchStart = 0n;
  watchSize = 0;
  readonly order: ByteOrder;
  protected readonly memory: KernelMemory;
  protected pc = 0n;

  constructor(protected readonly setting: ProcessorSetting) {
    this.memory = setting.memory;
    this.order = setting.order;
    this.stack = new Room(STACK_TOP - BigInt(STACK_BYTES), STACK_BYTES, this.order);
    this.scratch = new Room(SCRATCH, SCRATCH_BYTES, this.order);
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
    this.stack.forget();
    this.scratch.forget();
  }

  /** An integer of `size` bytes, in the machine's order. */
  load(address: bigint, size: number): bigint {
    address &= MASK64;
    const room = this.roomAt(address, size);
    if (room !== null) {
      const at = room.place(address, size);
      if (room.has(at, size)) return room.get(at, size);
      throw new Trap(`read of ${address.toString(16)} at ${this.pc.toString(16)}`);
    }
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
    address &= MASK64;
    const room = this.roomAt(address, size);
    if (room !== null) {
      room.set(room.place(address, size), size, value);
      return;
    }
    for (let i = 0; i < size; i++) {
      const byte = Number((value >> BigInt(this.order.bitsBelow(i, 1, size))) & 0xffn);
      this.written.set((address + BigInt(i)) & MASK64, byte);
    }
  }

  /** Writes zeros. */
  clear(address: bigint, size: number): void {
    const at = this.scratch.place(address, 8);
    if (at >= 0 && this.scratch.place(address + BigInt(size), 0) >= 0) this.scratch.clear(at, size);
    else for (let i = 0; i < size; i++) this.store(address + BigInt(i), 1, 0n);
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

  /** The 64-bit word at a place of the stack, or null where nobody wrote one. */
  protected onStack(address: bigint): bigint | null {
    const at = this.stack.place(address, 8);
    return at >= 0 && this.stack.has(at, 8) ? this.stack.get(at, 8) : null;
  }

  /** The stack of calls or the scratch memory, where all of these bytes are in one of them; else null. */
  private roomAt(address: bigint, size: number): Room | null {
    if (this.stack.place(address, size) >= 0) return this.stack;
    return this.scratch.place(address, size) >= 0 ? this.scratch : null;
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
