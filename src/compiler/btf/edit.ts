/** Changes to a program's BTF that a loader makes before the kernel sees it. */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';
import { HEADER_BYTES } from './read.js';

/** Writes into a BTF whose blob belongs to the loader: a copy, aligned, that nobody else reads yet. */
export class BtfEditor {
  constructor(readonly btf: Btf) {}

  private at(id: number): number {
    return this.btf.image.index[id - this.btf.firstId]!;
  }

  /** Sets the third word: a size, or the type referred to. */
  setSizeOrType(id: number, value: number): void {
    this.btf.image.words[this.at(id) + 2] = value;
  }
  /** Sets word `k` behind the 12-byte record. */
  setExtra(id: number, k: number, value: number): void {
    this.btf.image.words[this.at(id) + 3 + k] = value;
  }
  /** Sets the linkage of a VAR or a FUNC. */
  setLinkage(id: number, linkage: number): void {
    if (this.btf.kind(id) !== kind.KIND_FUNC) return this.setExtra(id, 0, linkage);
    this.btf.image.words[this.at(id) + 1] = ((kind.KIND_FUNC << 24) | linkage) >>> 0;
  }

  /** Sorts the variables of a data section by offset. */
  sortSection(id: number): void {
    const { words } = this.btf.image;
    const start = this.at(id) + 3;
    const rows = Array.from({ length: this.btf.vlen(id) }, (_, i) => words.slice(start + i * 3, start + i * 3 + 3));
    rows.sort((a, b) => (a[1]! - b[1]!) | 0);
    for (const [i, row] of rows.entries()) words.set(row, start + i * 3);
  }
}

/** A copy of a blob that `readBtf` took, with one global variable more: the type behind the last. */
export function appendVariable(btf: Btf, name: string, typeId: number): Uint8Array {
  const { blob, words, strings, stringLength } = btf.image;
  const typeBytes = words.length * 4;
  const out = new Uint8Array(HEADER_BYTES + typeBytes + 16 + stringLength + name.length + 1);
  out.set(blob.subarray(0, HEADER_BYTES));
  out.set(new Uint8Array(words.buffer, words.byteOffset, typeBytes), HEADER_BYTES);
  const record = HEADER_BYTES + typeBytes;
  const view = new DataView(out.buffer);
  const header = [HEADER_BYTES, 0, typeBytes + 16, typeBytes + 16, stringLength + name.length + 1];
  for (const [i, value] of header.entries()) view.setUint32(4 + i * 4, value, true);
  const variable = [stringLength, kind.KIND_VAR << 24, typeId, kind.LINKAGE_GLOBAL];
  for (const [i, value] of variable.entries()) view.setUint32(record + i * 4, value, true);
  out.set(blob.subarray(strings, strings + stringLength), record + 16);
  for (let i = 0; i < name.length; i++) out[record + 16 + stringLength + i] = name.charCodeAt(i);
  return out;
}
