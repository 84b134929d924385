/**
 * The state of an x86-64 processor and how instructions name it: registers, memory, prefixes and operands (Intel's manual,
 * volume 2, chapter 2).
 */
import { LANDING, MASK64, Processor, STACK_TOP, TASK, type ProcessorSetting } from '../processor.js';
import { Flags, maskOf, type Width } from './flags.js';

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
/** The registers of a call's arguments (System V ABI). */
const ARGUMENTS = [RDI, RSI, RDX, RCX, 8, 9];
/** Where the per-CPU area lies, which GS points to; nothing is there but what was written, and the current task. */
const PER_CPU = 0x5300_0000_0000n;
const PER_CPU_SIZE = 0x1000_0000n;

/** In bytes, as the processor limits it. */
const LONGEST_INSTRUCTION = 15;

/** A register or a place in memory. */
export interface Operand {
  readonly register: number;
  /** Null for a register. */
  readonly address: bigint | null;
}

export abstract class X86Machine extends Processor {
  protected readonly r = new Array<bigint>(16).fill(0n);
  protected readonly flags = new Flags();
  // Of the instruction at hand.
  protected rex = 0;
  protected hasRex = false;
  protected operandSize16 = false;
  protected repeat = 0;
  private gs = false;
  /** The middle field of the ModRM byte: a register or a part of the opcode. */
  protected field = 0;

  constructor(
    setting: ProcessorSetting,
    /** Where in the per-CPU area the pointer to the current task stands, which is known where the kernel says. */
    private readonly currentTask: bigint | null,
  ) {
    super(setting);
  }

  protected enter(args: readonly bigint[]): void {
    this.r.fill(0n);
    this.flags.clear();
    args.forEach((value, i) => (this.r[ARGUMENTS[i]!] = value));
    this.r[RSP] = STACK_TOP;
    this.push(LANDING);
  }

  protected leave(result: bigint): void {
    this.r[RAX] = result;
    this.pc = this.pop();
  }

  protected get result(): bigint {
    return this.r[RAX]!;
  }

  argument(i: number): bigint {
    return this.r[ARGUMENTS[i]!]!;
  }

  /** Code without frame pointers: all that may be return addresses on the stack. */
  callers(): bigint[] {
    const found = [this.pc];
    for (let at = this.r[RSP]!; at < STACK_TOP && found.length < 16; at += 8n) {
      const word = this.onStack(at);
      if (word !== null && this.setting.isKernelAddress(word)) found.push(word);
    }
    return found;
  }

  protected push(value: bigint): void {
    this.r[RSP] = this.r[RSP]! - 8n;
    this.store(this.r[RSP], 8, value);
  }
  protected pop(): bigint {
    const value = this.load(this.r[RSP]!, 8);
    this.r[RSP] = this.r[RSP]! + 8n;
    return value;
  }

  /** The instruction at hand: where it begins, its bytes and some behind, and how many of them were taken. */
  private start = 0n;
  private code: Uint8Array = new Uint8Array(0);
  private taken = 0;
  /** Where it jumps to; null: nowhere. */
  private target: bigint | null = null;
  private readonly known = new Map<bigint, Uint8Array>();

  protected step(): void {
    this.start = this.pc;
    let code = this.known.get(this.start);
    if (code === undefined) this.known.set(this.start, (code = this.memory.bytes(this.start, LONGEST_INSTRUCTION)));
    this.code = code;
    this.taken = 0;
    this.target = null;
    this.execute(this.prefixes());
    this.pc = this.target ?? this.next;
  }
  protected abstract execute(opcode: number): void;

  /** The address behind what was taken of the code. */
  protected get next(): bigint {
    return this.start + BigInt(this.taken);
  }
  protected goTo(target: bigint): void {
    this.target = target;
  }
  protected byte(): number {
    return this.code[this.taken++]!;
  }
  /** A byte that is not taken yet. */
  protected get coming(): number {
    return this.code[this.taken]!;
  }
  /** A signed number of the code, as 64 bits. */
  protected immediate(bytes: 1 | 2 | 4 | 8): bigint {
    if (bytes === 8) return (this.immediate(4) & 0xffff_ffffn) | ((this.immediate(4) << 32n) & MASK64);
    let value = 0;
    for (let i = 0; i < bytes; i++) value |= this.byte() << (8 * i);
    const unused = 32 - 8 * bytes;
    return BigInt.asUintN(64, BigInt((value << unused) >> unused));
  }

  /** Takes the prefixes in, and answers the opcode's first byte. */
  protected prefixes(): number {
    this.rex = this.repeat = 0;
    this.hasRex = this.operandSize16 = this.gs = false;
    for (;;) {
      const byte = this.byte();
      switch (byte) {
        case 0x66:
          this.operandSize16 = true;
          break;
        case 0xf2:
        case 0xf3:
          this.repeat = byte;
          break;
        case 0x65:
          this.gs = true;
          break;
        case 0x2e: // segments that begin at 0 in 64-bit mode, and LOCK: there is one processor
        case 0x3e:
        case 0xf0:
          break;
        default:
          if (byte >> 4 !== 4) return byte;
          this.rex = byte & 15;
          this.hasRex = true;
          return this.byte();
      }
    }
  }

  protected get wide(): Width {
    return (this.rex & 8) !== 0 ? 64 : this.operandSize16 ? 16 : 32;
  }
  /** The width that an opcode's lowest bit chooses. */
  protected widthOf(opcode: number): Width {
    return (opcode & 1) === 0 ? 8 : this.wide;
  }

  /** Reads a ModRM byte and what belongs to it: sets `field`. `behind`: bytes of immediates that follow. */
  protected modrm(behind = 0): Operand {
    const byte = this.byte();
    const mode = byte >> 6;
    this.field = ((byte >> 3) & 7) | ((this.rex & 4) << 1);
    const low = byte & 7;
    if (mode === 3) return { register: low | ((this.rex & 1) << 3), address: null };
    let base: bigint | null = null;
    let scaled = 0n;
    if (low === 4) {
      const sib = this.byte();
      const index = ((sib >> 3) & 7) | ((this.rex & 2) << 2);
      if (index !== 4) scaled = this.r[index]! << BigInt(sib >> 6);
      if ((sib & 7) !== 5 || mode !== 0) base = this.r[(sib & 7) | ((this.rex & 1) << 3)]!;
      else scaled += this.immediate(4);
    } else if (low === 5 && mode === 0) {
      const distance = this.immediate(4);
      base = this.next + BigInt(behind) + distance;
    } else base = this.r[low | ((this.rex & 1) << 3)]!;
    const displacement = mode === 1 ? this.immediate(1) : mode === 2 ? this.immediate(4) : 0n;
    return { register: -1, address: ((base ?? 0n) + scaled + displacement) & MASK64 };
  }

  /** The register that the instruction's byte form names: AH to BH where there is no REX prefix. */
  protected getRegister(register: number, width: Width): bigint {
    if (width === 8 && !this.hasRex && register >= 4 && register < 8) return (this.r[register - 4]! >> 8n) & 0xffn;
    return this.r[register]! & maskOf(width);
  }
  protected setRegister(register: number, value: bigint, width: Width): void {
    const old = this.r[register]!;
    if (width === 8 && !this.hasRex && register >= 4 && register < 8) {
      this.r[register - 4] = (this.r[register - 4]! & ~0xff00n) | ((value & 0xffn) << 8n);
    } else if (width >= 32) this.r[register] = value & maskOf(width);
    else this.r[register] = (old & ~maskOf(width)) | (value & maskOf(width));
  }

  protected get(operand: Operand, width: Width): bigint {
    if (operand.address === null) return this.getRegister(operand.register, width);
    if (!this.gs) return this.load(operand.address, width >> 3);
    if (operand.address === this.currentTask && width === 64) return TASK;
    let value = 0n;
    for (let i = 0; i < width >> 3; i++) {
      value |= BigInt(this.written.get(this.perCpu(operand.address) + BigInt(i)) ?? 0) << BigInt(8 * i);
    }
    return value;
  }
  protected set(operand: Operand, value: bigint, width: Width): void {
    if (operand.address === null) this.setRegister(operand.register, value, width);
    else this.store(this.gs ? this.perCpu(operand.address) : operand.address, width >> 3, value);
  }

  private perCpu(offset: bigint): bigint {
    if (offset >= PER_CPU_SIZE) this.unknown(`of the per-CPU variable at ${offset.toString(16)}`);
    return PER_CPU + offset;
  }
}
