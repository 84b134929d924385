/** Builds the name table of a blob (see `names.ts`). */
import type { Btf } from './btf.js';
import { allocateWords, hashBytes, type NameIndex } from './names.js';

const UNDERSCORE = 0x5f;
/** Bytes of a name that are searched for a flavor; the kernel's longest name is 511. */
const LONGEST_FLAVORED = 512;

/** What a name table is built over. */
export interface NameSource {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly index: Uint32Array;
  /** Byte offset and length of the string section. */
  readonly strings: number;
  readonly stringsLength: number;
  readonly base: Btf | null;
}

/** Builds the name table from the last type to the first, so that chains run in order of id. */
export function indexNames(source: NameSource, shared: boolean): NameIndex {
  const { index, words, base } = source;
  const firstId = base === null ? 1 : base.typeCount;
  let size = 16;
  while (size < index.length) size *= 2;
  const heads = allocateWords(size, shared);
  const next = allocateWords(index.length, shared);
  const flavored: number[] = [];
  for (let i = index.length - 1; i >= 0; i--) {
    const off = words[index[i]!]!;
    if (off === 0) continue;
    const text = locate(source, off);
    const slot = hashBytes(text.bytes, text.start, text.limit) & (size - 1);
    next[i] = heads[slot]!;
    heads[slot] = i + 1;
    if (mayHaveFlavor(text.bytes, text.start, text.limit)) flavored.push(firstId + i);
  }
  const flavors = allocateWords(flavored.length, shared);
  flavors.set(flavored.reverse());
  return { heads, next, flavored: flavors };
}

/** The bytes a string offset points into: this blob's, or a base's for a split BTF that shares its names. */
function locate(source: NameSource, off: number): { bytes: Uint8Array; start: number; limit: number } {
  let base = source.base;
  if (base === null || off >= base.stringEnd) {
    const { strings, stringsLength } = source;
    return { bytes: source.bytes, start: strings + off - (base?.stringEnd ?? 0), limit: strings + stringsLength };
  }
  while (base.base !== null && off < base.base.stringEnd) base = base.base;
  const { strings, stringLength } = base.image;
  return { bytes: base.blob, start: strings + off - (base.base?.stringEnd ?? 0), limit: strings + stringLength };
}

/** Whether a name may hold a flavor separator: three underscores between other characters. */
function mayHaveFlavor(bytes: Uint8Array, start: number, limit: number): boolean {
  const end = Math.min(limit, start + LONGEST_FLAVORED);
  // Only every third byte can start the search: a run of three underscores covers one of them.
  for (let i = start + 2; i < end; i += 3) {
    const byte = bytes[i]!;
    if (byte === UNDERSCORE && isInRun(bytes, i, start)) return true;
    if (byte === 0 || bytes[i - 1] === 0 || bytes[i - 2] === 0) return false;
  }
  return false;
}

function isInRun(bytes: Uint8Array, i: number, start: number): boolean {
  let first = i;
  while (first > start && bytes[first - 1] === UNDERSCORE) first--;
  return first > start && bytes[first + 1] === UNDERSCORE && bytes[first + 2] === UNDERSCORE;
}
