import { BIG_ENDIAN, LITTLE_ENDIAN, type ByteOrder } from '../bytes/byte-order.js';
import { equalsText, hashText, type NameIndex } from './names.js';
import * as kind from './kinds.js';

/** Longest text and name taken out of a blob: its strings may overlap, and must not add up. The kernel prints 1023 bytes. */
const MAX_TEXT = 4096;
const MAX_NAME = 1024;

/** Longest chain of modifiers and typedefs followed; the kernel's own limit is 32 (MAX_RESOLVE_DEPTH). */
const MAX_CHAIN = 64;

/** A validated blob with its indexes: plain memory, so that threads can share it (see `read.ts`). */
export interface BtfImage {
  /** In canonical form. */
  readonly blob: Uint8Array;
  /** The byte order that it came in. */
  readonly byteOrder: ByteOrder['name'];
  /** 32-bit words of the blob, or of an aligned copy of its types. */
  readonly words: Uint32Array;
  /** Word index of each own type's record. */
  readonly index: Uint32Array;
  /** Byte offset and length of the string section in the blob. */
  readonly strings: number;
  readonly stringLength: number;
  readonly names: NameIndex;
}

/**
 * BTF type information, read in place.
 *
 *     header | types: 12-byte record + kind-specific words, … | strings
 *
 * Nothing is parsed into objects: an index gives each type's word offset, accessors read the blob. That keeps vmlinux
 * BTF (130,000 types) at little more than its own size, and lets workers share one copy (SharedArrayBuffer).
 * A reader must have validated the blob (see `read.ts`) before an instance is made of it.
 */
export class Btf {
  /** Number of types, void included, base included. */
  readonly typeCount: number;
  /** First id that is this BTF's own: 1, or the base's `typeCount` for split BTF. */
  readonly firstId: number;
  /** The blob as a whole, in canonical form. */
  readonly blob: Uint8Array;
  private readonly words: Uint32Array;
  private readonly index: Uint32Array;
  private readonly strings: number;
  readonly stringLength: number;

  constructor(
    readonly image: BtfImage,
    readonly base: Btf | null,
    /** 'vmlinux' or a module's name for a kernel's BTF; '' for a program's. */
    readonly name: string,
  ) {
    this.blob = image.blob;
    this.words = image.words;
    this.index = image.index;
    this.strings = image.strings;
    this.stringLength = image.stringLength;
    this.firstId = base === null ? 1 : base.typeCount;
    this.typeCount = this.firstId + image.index.length;
  }

  /** The byte order that it came in. */
  get byteOrder(): ByteOrder {
    return this.image.byteOrder === BIG_ENDIAN.name ? BIG_ENDIAN : LITTLE_ENDIAN;
  }

  /** Whether this is a kernel's BTF rather than a program's. */
  get isKernel(): boolean {
    return this.name !== '';
  }

  has(id: number): boolean {
    return id >= 0 && id < this.typeCount;
  }

  private at(id: number): number {
    return this.index[id - this.firstId]!;
  }
  private owner(id: number): Btf {
    return id < this.firstId && this.base !== null ? this.base.owner(id) : this;
  }

  kind(id: number): number {
    if (id === 0) return kind.KIND_VOID;
    const b = this.owner(id);
    return (b.words[b.at(id) + 1]! >>> 24) & 0x1f;
  }
  /** Number of members, parameters, enumerators or variables. */
  vlen(id: number): number {
    if (id === 0) return 0;
    const b = this.owner(id);
    return b.words[b.at(id) + 1]! & 0xffff;
  }
  kindFlag(id: number): boolean {
    if (id === 0) return false;
    const b = this.owner(id);
    return b.words[b.at(id) + 1]! >>> 31 === 1;
  }
  /** The third word: a size in bytes, or the id of the type it refers to. */
  sizeOrType(id: number): number {
    if (id === 0) return 0;
    const b = this.owner(id);
    return b.words[b.at(id) + 2]!;
  }
  nameOff(id: number): number {
    if (id === 0) return 0;
    const b = this.owner(id);
    return b.words[b.at(id)]!;
  }
  typeName(id: number): string {
    return this.string(this.nameOff(id), MAX_NAME);
  }
  /** Word `k` behind the 12-byte record. */
  extra(id: number, k: number): number {
    const b = this.owner(id);
    return b.words[b.at(id) + 3 + k]!;
  }

  /** The NUL-terminated string at an offset of the string section, cut at `longest`; '' where there is none. */
  string(off: number, longest = MAX_TEXT): string {
    if (this.base !== null && off < this.base.stringEnd) return this.base.string(off, longest);
    const at = off - (this.base === null ? 0 : this.base.stringEnd);
    if (at < 0 || at >= this.stringLength) return '';
    const start = this.strings + at;
    let end = start;
    const limit = Math.min(this.strings + this.stringLength, start + longest);
    while (end < limit && this.blob[end] !== 0) end++;
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(this.blob[i]!);
    return text;
  }
  /** Offset behind the last string, the base's included: where a split BTF's strings start. */
  get stringEnd(): number {
    return (this.base === null ? 0 : this.base.stringEnd) + this.stringLength;
  }

  /** Member of a struct or union: name, type, offset in bits, width in bits (0 where it is no bit-field). */
  memberNameOff(id: number, i: number): number {
    return this.extra(id, i * 3);
  }
  memberName(id: number, i: number): string {
    return this.string(this.extra(id, i * 3));
  }
  memberType(id: number, i: number): number {
    return this.extra(id, i * 3 + 1);
  }
  memberBitOffset(id: number, i: number): number {
    const off = this.extra(id, i * 3 + 2);
    return this.kindFlag(id) ? off & 0xffffff : off;
  }
  memberBitfieldSize(id: number, i: number): number {
    return this.kindFlag(id) ? this.extra(id, i * 3 + 2) >>> 24 : 0;
  }

  /** Parameter of a function prototype. */
  paramName(id: number, i: number): string {
    return this.string(this.extra(id, i * 2));
  }
  paramType(id: number, i: number): number {
    return this.extra(id, i * 2 + 1);
  }

  arrayElem(id: number): number {
    return this.extra(id, 0);
  }
  arrayCount(id: number): number {
    return this.extra(id, 2);
  }

  intEncoding(id: number): number {
    return (this.extra(id, 0) >>> 24) & 0x0f;
  }
  intBitOffset(id: number): number {
    return (this.extra(id, 0) >>> 16) & 0xff;
  }
  intBits(id: number): number {
    return this.extra(id, 0) & 0xff;
  }

  enumName(id: number, i: number): string {
    return this.string(this.extra(id, i * (this.kind(id) === kind.KIND_ENUM64 ? 3 : 2)));
  }
  /** Low and (ENUM64) high 32 bits of an enumerator. */
  enumValueLo(id: number, i: number): number {
    return this.kind(id) === kind.KIND_ENUM64 ? this.extra(id, i * 3 + 1) | 0 : this.extra(id, i * 2 + 1) | 0;
  }
  enumValueHi(id: number, i: number): number {
    if (this.kind(id) === kind.KIND_ENUM64) return this.extra(id, i * 3 + 2) | 0;
    return this.kindFlag(id) ? this.enumValueLo(id, i) >> 31 : 0;
  }

  /** Variable of a data section. */
  secinfoType(id: number, i: number): number {
    return this.extra(id, i * 3);
  }
  secinfoOffset(id: number, i: number): number {
    return this.extra(id, i * 3 + 1);
  }
  secinfoSize(id: number, i: number): number {
    return this.extra(id, i * 3 + 2);
  }
  /** Linkage of a VAR (its word) or FUNC (its vlen). */
  linkage(id: number): number {
    return this.kind(id) === kind.KIND_FUNC ? this.vlen(id) : this.extra(id, 0);
  }
  /** Component a DECL_TAG speaks of, or -1 for the whole type. */
  declTagComponent(id: number): number {
    return this.extra(id, 0) | 0;
  }

  isModifier(id: number): boolean {
    const k = this.kind(id);
    return k === kind.KIND_VOLATILE || k === kind.KIND_CONST || k === kind.KIND_RESTRICT || k === kind.KIND_TYPE_TAG;
  }
  /** The type behind const, volatile, restrict, type tags and typedefs; 0 (void) where the chain never ends. */
  skipModifiers(id: number): number {
    for (let depth = 0; depth < MAX_CHAIN; depth++) {
      if (!this.isModifier(id) && this.kind(id) !== kind.KIND_TYPEDEF) return id;
      id = this.sizeOrType(id);
    }
    return 0;
  }

  /** First type of that kind and name (own types before the base's), or 0. O(1). */
  find(name: string, k: number): number {
    const own = this.findOwn(name, k);
    return own !== 0 || this.base === null ? own : this.base.find(name, k);
  }
  /** First of this BTF's own types of that kind and name, or 0. */
  findOwn(name: string, k: number): number {
    for (let id = this.firstWithName(name); id !== 0; id = this.nextWithName(name, id)) {
      if (this.kind(id) === k) return id;
    }
    return 0;
  }
  /** First of this BTF's own types of that name, or 0. */
  findNamed(name: string): number {
    return this.firstWithName(name);
  }
  /** Own types of that name, in order of id. */
  withName(name: string): readonly number[] {
    const ids: number[] = [];
    for (let id = this.firstWithName(name); id !== 0; id = this.nextWithName(name, id)) ids.push(id);
    return ids;
  }

  private firstWithName(name: string): number {
    const { heads } = this.image.names;
    return this.nameOnChain(name, heads[hashText(name) & (heads.length - 1)]!);
  }
  private nextWithName(name: string, id: number): number {
    return this.nameOnChain(name, this.image.names.next[id - this.firstId]!);
  }
  /** First id of that name on the chain that starts at own index `entry - 1`, or 0. */
  private nameOnChain(name: string, entry: number): number {
    for (; entry !== 0; entry = this.image.names.next[entry - 1]!) {
      const id = this.firstId + entry - 1;
      if (this.nameEquals(this.words[this.index[entry - 1]!]!, name)) return id;
    }
    return 0;
  }
  /** Whether the string at an offset is `text`, without making a string of it. */
  nameEquals(off: number, text: string): boolean {
    if (this.base !== null && off < this.base.stringEnd) return this.base.nameEquals(off, text);
    const at = off - (this.base === null ? 0 : this.base.stringEnd);
    return at + text.length < this.stringLength && equalsText(this.blob, this.strings + at, text);
  }
}
