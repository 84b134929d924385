/** An instruction's bytes, taken apart: 2, 4 or 6 of them, as the two highest bits say. */
import type { KernelMemory } from '../../kernel/memory.js';

/** First bytes whose instructions have 4 more opcode bits in the second byte's lower half, or another whole byte somewhere. */
const EXTENDED_4 = new Set([0xa5, 0xa7, 0xc0, 0xc2, 0xc4, 0xc6, 0xcc]);
const EXTENDED_SECOND = new Set([0xb2, 0xb9, 0xe5]);
const EXTENDED_LAST = new Set([0xe3, 0xeb, 0xec]);

export class Operands {
  /** `half`: the instruction as three 16-bit halves, zero behind its end. */
  constructor(
    readonly at: bigint,
    readonly next: bigint,
    private readonly half: readonly [number, number, number],
  ) {}

  /** All opcode bits: 0x1a, 0xa79, 0xb904, 0xe304. */
  get opcode(): number {
    const first = this.half[0] >> 8;
    if (EXTENDED_4.has(first)) return (first << 4) | (this.half[0] & 15);
    if (EXTENDED_SECOND.has(first)) return this.half[0];
    return EXTENDED_LAST.has(first) ? (first << 8) | (this.half[2] & 0xff) : first;
  }
  get text(): string {
    return this.half.map((h) => h.toString(16).padStart(4, '0')).join('');
  }

  /** Registers, masks and indexes in the second byte. */
  get a(): number {
    return (this.half[0] >> 4) & 15;
  }
  get b(): number {
    return this.half[0] & 15;
  }
  /** The second byte as an immediate or a length. */
  get byte(): number {
    return this.half[0] & 0xff;
  }
  /** The four nibbles of the second half: base in `n0`; of RRE and RRF registers in `n2`, `n3` and `n0`. */
  get n0(): number {
    return this.half[1] >> 12;
  }
  get n2(): number {
    return (this.half[1] >> 4) & 15;
  }
  get n3(): number {
    return this.half[1] & 15;
  }
  /** The highest nibble of the third half: a mask, or a second base. */
  get m(): number {
    return this.half[2] >> 12;
  }
  /** Short displacements, behind a base each. */
  get d1(): number {
    return this.half[1] & 0xfff;
  }
  get d2(): number {
    return this.half[2] & 0xfff;
  }
  /** A long displacement: 20 bits, signed. */
  get long(): number {
    return (((this.half[2] >> 8) << 24) >> 12) | this.d1;
  }
  /** 16 bits, signed and not. */
  get i16(): number {
    return (this.half[1] << 16) >> 16;
  }
  get u16(): number {
    return this.half[1];
  }
  /** The third half as 16 bits (SIL), signed and not. */
  get last16(): number {
    return (this.half[2] << 16) >> 16;
  }
  get lastU16(): number {
    return this.half[2];
  }
  /** 32 bits, signed. */
  get i32(): number {
    return (this.half[1] << 16) | this.half[2];
  }
  /** 8 bits before the last byte, signed and not. */
  get i8(): number {
    return (this.half[2] << 16) >> 24;
  }
  get u8(): number {
    return this.half[2] >> 8;
  }
  /** The second half's two bytes: rotations' first and last bits. */
  get high(): number {
    return this.half[1] >> 8;
  }
  get low(): number {
    return this.half[1] & 0xff;
  }
  /** Where a relative branch or address of 16 or 32 bits points. */
  get near(): bigint {
    return this.at + 2n * BigInt(this.i16);
  }
  get far(): bigint {
    return this.at + 2n * BigInt(this.i32);
  }

  /** The same with bits set in its second byte, as an execute instruction at other places does it. */
  executed(bits: number, next: bigint): Operands {
    return new Operands(this.at, next, [this.half[0] | bits, this.half[1], this.half[2]]);
  }
}

/** Fetches the instruction at an address. */
export function operandsOf(memory: KernelMemory, at: bigint): Operands {
  const first = memory.u16(at);
  const size = first < 0x4000 ? 2n : first < 0xc000 ? 4n : 6n;
  const second = size > 2n ? memory.u16(at + 2n) : 0;
  return new Operands(at, at + size, [first, second, size > 4n ? memory.u16(at + 4n) : 0]);
}
