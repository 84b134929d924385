import { LITTLE_ENDIAN, type ByteOrder } from '../bytes/byte-order.js';
import { turnInstructions } from '../bytes/turn.js';

/**
 * A sequence of BPF instructions in canonical form, which is what little-endian machines have on the wire: 8 bytes each.
 *
 *     0        1          2       4                8
 *     | opcode | src·dst  | off   | imm            |
 *
 * The bytes are the only storage; the typed arrays are views on them, so that reading a field costs one load. Hosts are
 * little-endian (every platform Node runs on and we build for).
 */
export class Instructions {
  /** The canonical bytes: 8 times `length`. */
  readonly bytes: Uint8Array;
  private readonly half: Int16Array;
  private readonly word: Int32Array;
  /** Number of 8-byte slots; LD_IMM64 takes two. */
  readonly length: number;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.half = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    this.word = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.length = bytes.byteLength >> 3;
  }

  /** `length` slots of zero. */
  static alloc(length: number): Instructions {
    return new Instructions(new Uint8Array(length * 8));
  }

  /**
   * A copy of bytes that a machine of that byte order has on the wire. Their length must be a multiple of 8 (RangeError
   * otherwise: callers check input first).
   */
  static from(bytes: Uint8Array, order: ByteOrder = LITTLE_ENDIAN): Instructions {
    if (bytes.byteLength % 8 !== 0) throw new RangeError('instructions are 8 bytes each');
    return new Instructions(wireBytes(bytes, order));
  }

  /** The bytes as a machine of that byte order has them on the wire: on little-endian ones those of the sequence itself. */
  toWire(order: ByteOrder): Uint8Array {
    return order === LITTLE_ENDIAN ? this.bytes : wireBytes(this.bytes, order);
  }

  clone(): Instructions {
    return Instructions.from(this.bytes);
  }

  /** A copy of slots [start, end). */
  slice(start: number, end: number): Instructions {
    return Instructions.from(this.bytes.subarray(start * 8, end * 8));
  }

  opcode(i: number): number {
    return this.bytes[i * 8]!;
  }
  dst(i: number): number {
    return this.bytes[i * 8 + 1]! & 0x0f;
  }
  src(i: number): number {
    return this.bytes[i * 8 + 1]! >> 4;
  }
  /** Signed 16-bit offset. */
  off(i: number): number {
    return this.half[i * 4 + 1]!;
  }
  /** Signed 32-bit immediate. */
  imm(i: number): number {
    return this.word[i * 2 + 1]!;
  }

  setOpcode(i: number, opcode: number): void {
    this.bytes[i * 8] = opcode;
  }
  setSrc(i: number, register: number): void {
    this.bytes[i * 8 + 1] = (this.bytes[i * 8 + 1]! & 0x0f) | (register << 4);
  }
  setOff(i: number, off: number): void {
    this.half[i * 4 + 1] = off;
  }
  setImm(i: number, imm: number): void {
    this.word[i * 2 + 1] = imm;
  }

  set(i: number, opcode: number, dst: number, src: number, off: number, imm: number): void {
    this.bytes[i * 8] = opcode;
    this.bytes[i * 8 + 1] = dst | (src << 4);
    this.half[i * 4 + 1] = off;
    this.word[i * 2 + 1] = imm;
  }

  /** Copies `count` slots from another sequence. */
  copyFrom(other: Instructions, from: number, to: number, count: number): void {
    this.bytes.set(other.bytes.subarray(from * 8, (from + count) * 8), to * 8);
  }
}

/** A copy, turned between the canonical form and that of the wire where the two differ. */
function wireBytes(bytes: Uint8Array, order: ByteOrder): Uint8Array {
  const copy = new Uint8Array(bytes);
  if (order !== LITTLE_ENDIAN) turnInstructions(copy);
  return copy;
}
