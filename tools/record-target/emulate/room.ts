import { LITTLE_ENDIAN, type ByteOrder } from '../../../src/compiler/bytes/byte-order.js';

/** A piece of memory that is written and read much: bytes, and which of them have been written. */
export class Room {
  private readonly view: DataView;
  private readonly known: Uint8Array;
  private readonly little: boolean;

  constructor(
    readonly start: bigint,
    private readonly size: number,
    order: ByteOrder,
  ) {
    this.view = new DataView(new ArrayBuffer(size));
    this.known = new Uint8Array(size);
    this.little = order === LITTLE_ENDIAN;
  }

  /** Where in it an integer of `size` bytes lies, or -1. */
  place(address: bigint, size: number): number {
    const at = Number(address - this.start);
    return size <= 8 && at >= 0 && at + size <= this.size ? at : -1;
  }

  /** Whether all of these bytes have been written. */
  has(at: number, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.known[at + i] === 0) return false;
    return true;
  }

  get(at: number, size: number): bigint {
    if (size === 8) return this.view.getBigUint64(at, this.little);
    if (size === 4) return BigInt(this.view.getUint32(at, this.little));
    return BigInt(size === 2 ? this.view.getUint16(at, this.little) : this.view.getUint8(at));
  }

  set(at: number, size: number, value: bigint): void {
    this.known.fill(1, at, at + size);
    if (size === 8) this.view.setBigUint64(at, BigInt.asUintN(64, value), this.little);
    else if (size === 4) this.view.setUint32(at, Number(BigInt.asUintN(32, value)), this.little);
    else if (size === 2) this.view.setUint16(at, Number(BigInt.asUintN(16, value)), this.little);
    else this.view.setUint8(at, Number(BigInt.asUintN(8, value)));
  }

  clear(at: number, size: number): void {
    new Uint8Array(this.view.buffer, at, size).fill(0);
    this.known.fill(1, at, at + size);
  }

  forget(): void {
    this.known.fill(0);
  }
}
