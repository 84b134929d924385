import type { SymbolTable } from './profile.js';

/**
 * Names and addresses of a kernel, searched where they lie.
 *
 *     u32 count | u32 name starts [count + 1] | u32 address low [count] | u32 address high [count] | names
 *
 * Little-endian; names in order of their bytes, without terminators, starts counted from the first name. Local symbols
 * of several files may share a name: it then stands twice, with the first two of its addresses in the kernel's order.
 */
export class PackedSymbols implements SymbolTable {
  readonly size: number;
  private readonly words: DataView;
  private readonly names: number;

  constructor(private readonly bytes: Uint8Array) {
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = bytes.byteLength >= 8 ? this.words.getUint32(0, true) : 0;
    this.names = 4 + 4 * (3 * this.size + 1);
    if (this.size > bytes.byteLength || this.names > bytes.byteLength) throw new Error('symbols: cut short');
  }

  address(name: string): readonly [number, number] | null {
    const index = this.find(name);
    return index < 0 ? null : this.addressAt(index);
  }

  otherAddress(name: string): readonly [number, number] | null {
    const index = this.find(name);
    if (index < 0 || index + 1 >= this.size || this.compare(index + 1, name) !== 0) return null;
    return this.addressAt(index + 1);
  }

  /** Index of the first entry of a name, or -1. */
  private find(name: string): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.size && this.compare(low, name) === 0 ? low : -1;
  }

  private addressAt(index: number): readonly [number, number] {
    const at = 4 + 4 * (this.size + 1 + index);
    return [this.words.getUint32(at + 4 * this.size, true), this.words.getUint32(at, true)];
  }

  /** How a name stands to another in order of their bytes. */
  private compare(index: number, name: string): number {
    const start = this.words.getUint32(4 + 4 * index, true);
    const length = this.words.getUint32(8 + 4 * index, true) - start;
    const shared = Math.min(length, name.length);
    for (let i = 0; i < shared; i++) {
      const order = this.bytes[this.names + start + i]! - name.charCodeAt(i);
      if (order !== 0) return order;
    }
    return length - name.length;
  }
}
