/** One function on its way to code: what every lowering reads and writes. */
import type { Address } from '../address.js';
import type { ResolvedLink } from '../architecture.js';
import type { CodeRelocation, JitFunction, SymbolRef } from '../program.js';
import { CodeBuffer } from './code-buffer.js';
import { ril, rxy } from './encode/formats.js';
import { LGRL, type Ril, type Rxy } from './encode/opcodes.js';
import { NO_LAYOUT, type Layout } from './layout.js';
import { Literals } from './literals.js';
import { LITERALS, NONE } from './registers.js';
import type { CpuFeatures, KernelOffsets } from './target.js';

export interface JitOptions {
  readonly cpu: CpuFeatures;
  readonly offsets: KernelOffsets;
  /** The kernel's JIT knows jumps of 32-bit offsets, which its verifier may take all the same. */
  readonly longJumps: boolean;
  /** Null: position-independent code with relocations. */
  readonly link: ResolvedLink | null;
}

/** The code of one BPF instruction has at most this many bytes (a tail call that restores three groups of registers: 82). */
export const LONGEST_LOWERING = 128;

/**
 * First walk: nothing has a place yet, so everything takes its longest form and all registers are saved. Measuring: sizes
 * and registers are those of the walk before, and shrink. Final: the code.
 */
export type Walk = 'first' | 'measuring' | 'final';

export class FunctionState {
  readonly code: CodeBuffer;
  readonly literals = new Literals();
  /** First byte of each slot, and of the epilogue behind the last: of this walk up to where it is, of the last one beyond. */
  readonly starts: Uint32Array;
  walk: Walk = 'first';
  /** What the walk before found. */
  layout: Layout = NO_LAYOUT;
  /** Found by any walk so far: an instruction takes a literal by displacement, uses memory or the stack, calls. */
  needsLiterals = false;
  usesMemory = false;
  calls = false;
  /** What literals' displacements count from. */
  literalBase = 0;
  /** From the stack pointer to the caller's. */
  frameBytes = 0;
  /** Byte of an access that may fault, of the nop behind it, of the resume point; and the register zeroed, or -1. */
  readonly faults: number[] = [];
  readonly relocations: CodeRelocation[] = [];
  /** The image's own address, or null. */
  readonly address: Address | null;

  constructor(
    readonly fn: JitFunction,
    readonly index: number,
    readonly options: JitOptions,
    /** Index of the arena's map, -1 where the program has none. */
    readonly arenaMap: number,
    /** The program has no other function. */
    readonly isAlone: boolean,
  ) {
    const slots = fn.instructions.length;
    this.code = new CodeBuffer(16 * slots + 512);
    this.starts = new Uint32Array(slots + 1);
    this.address = options.link?.functions[index] ?? null;
  }

  /**
   * The verifier extended 32-bit results where the program needs it, and says so to the JIT; of programs with several
   * functions the JIT is not told, and extends again.
   */
  get isExtended(): boolean {
    return this.isAlone;
  }

  /** Half-words from the next instruction to byte `target`. */
  distanceTo(target: number): number {
    return (target - this.code.length) >> 1;
  }

  /** Whether a short branch that comes next reaches byte `target`. */
  reaches(target: number): boolean {
    if (this.walk === 'first') return false;
    const bytes = target - this.code.length;
    return bytes >= -0x10000 && bytes <= 0xfffe;
  }

  /** Whether the next literal of 32 or 64 bits is within 20 bits of the literals' base. */
  canAddressLiteral(wide: boolean): boolean {
    return this.walk !== 'first' && isLongDisplacement((wide ? this.next64 : this.next32) - this.literalBase);
  }

  /** A register and the number in memory, addressed from the literals' base. */
  withLiteral32(opcode: Rxy, register: number, value: number): void {
    this.needsLiterals = true;
    rxy(this.code, opcode, register, NONE, LITERALS, this.next32 - this.literalBase);
    this.literals.add32(value);
  }

  /** The same with the number sign-extended to 64 bits. */
  withLiteral64(opcode: Rxy, register: number, value: number): void {
    this.needsLiterals = true;
    rxy(this.code, opcode, register, NONE, LITERALS, this.next64 - this.literalBase);
    this.literals.add64(value >> 31, value);
  }

  loadLiteral32(opcode: Ril, register: number, value: number): void {
    ril(this.code, opcode, register, this.distanceTo(this.next32));
    this.literals.add32(value);
  }

  loadLiteral64(register: number, hi: number, lo: number): void {
    ril(this.code, LGRL, register, this.distanceTo(this.next64));
    this.literals.add64(hi, lo);
  }

  /** Loads an address: the link's where it has that, else one that a linker fills in. */
  loadSymbol(register: number, symbol: SymbolRef): void {
    const known = symbol.kind === 'kernel' ? (this.options.link?.symbol(symbol.name) ?? null) : null;
    ril(this.code, LGRL, register, this.distanceTo(this.next64));
    if (known === null || symbol.kind !== 'kernel') this.literals.addSymbol(symbol);
    else this.literals.add64(known.hi, known.lo);
  }

  private get next32(): number {
    return this.layout.literals32 + this.literals.bytes32;
  }

  private get next64(): number {
    return this.layout.literals64 + this.literals.bytes64;
  }
}

/** Whether a displacement fits the 20 bits of the long-displacement facility. */
export function isLongDisplacement(bytes: number): boolean {
  return bytes >= -0x80000 && bytes <= 0x7ffff;
}
