/**
 * Reads a BTF blob: checks what memory-safety needs and what libbpf 1.5 checks of it (btf__new), and indexes it. What the
 * kernel checks of a program's BTF beyond that is `validate.ts`.
 */
import type { ByteOrder } from '../bytes/byte-order.js';
import { ByteReader } from '../bytes/reader.js';
import { fail, ok, type Failure, type Outcome } from '../outcome.js';
import { Btf, type BtfImage } from './btf.js';
import { BTF_MAGIC, byteOrderOfBtf, canonicalBtf } from './canonical.js';
import * as kind from './kinds.js';
import { indexNames } from './index-names.js';
import { allocateWords } from './names.js';

/** Bytes of struct btf_header as of version 1. */
export const HEADER_BYTES = 24;
const RECORD_WORDS = 3;
/** Highest string offset the kernel takes (BTF_MAX_NAME_OFFSET). */
export const MAX_NAME_OFFSET = 0x00ff_ffff;
const EINVAL = -22;

/** Where the sections of a blob lie, in bytes from its start. */
export interface Layout {
  readonly types: number;
  readonly typesLength: number;
  readonly strings: number;
  readonly stringsLength: number;
}

/**
 * Reads and indexes a blob of either byte order (a little-endian one is kept, not copied: it must not change afterwards;
 * it may lie on shared memory).
 * `base` is the BTF that a split BTF continues; `name` is 'vmlinux', a module's name, or '' for a program's BTF.
 * Fails with BTF_INVALID. Linear in the blob's size.
 */
export function readBtf(bytes: Uint8Array, base: Btf | null, name: string): Outcome<Btf> {
  const image = indexBtf(bytes, base, false);
  return image.ok ? ok(new Btf(image.value, base, name)) : image;
}

/** `readBtf` for memory that other threads open too: the indexes come on SharedArrayBuffers. See `openBtf`. */
export function readSharedBtf(bytes: Uint8Array, base: Btf | null): Outcome<BtfImage> {
  return indexBtf(bytes, base, true);
}

/** A BTF over an image that `readSharedBtf` made, in this thread or in another. */
export function openBtf(image: BtfImage, base: Btf | null, name: string): Btf {
  return new Btf(image, base, name);
}

/** Whether header, sections and records are whole; what types and names refer to is not looked at. */
export function isWellFormed(bytes: Uint8Array, split: boolean): boolean {
  const blob = canonicalBtf(bytes, byteOrderOfBtf(bytes));
  const layout = readLayout(blob, split);
  return layout.ok && countTypes(alignedWords(blob, layout.value), layout.value).ok;
}

function indexBtf(blob: Uint8Array, base: Btf | null, shared: boolean): Outcome<BtfImage> {
  const byteOrder = byteOrderOfBtf(blob);
  return indexCanonical(canonicalBtf(blob, byteOrder, shared), byteOrder, base, shared);
}

function indexCanonical(bytes: Uint8Array, byteOrder: ByteOrder, base: Btf | null, shared: boolean): Outcome<BtfImage> {
  const layout = readLayout(bytes, base !== null);
  if (!layout.ok) return layout;
  const words = alignedWords(bytes, layout.value);
  const index = indexTypes(words, layout.value, shared);
  if (!index.ok) return index;
  const broken = firstBrokenReference(words, index.value, layout.value, base);
  if (broken !== null) return fail(broken);
  const { strings, stringsLength } = layout.value;
  const names = indexNames({ bytes, words, index: index.value, strings, stringsLength, base }, shared);
  return ok({
    blob: bytes,
    byteOrder: byteOrder.name,
    words,
    index: index.value,
    strings,
    stringLength: stringsLength,
    names,
  });
}

function invalid(message: string): { readonly ok: false; readonly failure: Failure } {
  return fail(invalidBtf(message));
}
function invalidBtf(message: string): Failure {
  return { stage: 'LOAD', code: 'BTF_INVALID', message, errno: EINVAL };
}

/** Checks header and section bounds. */
function readLayout(bytes: Uint8Array, split: boolean): Outcome<Layout> {
  const reader = new ByteReader(bytes);
  if (!reader.has(0, HEADER_BYTES)) return invalid('BTF header not found');
  const magic = reader.u16(0);
  if (magic !== BTF_MAGIC) return invalid(`Invalid BTF magic: ${magic.toString(16)}`);
  const headerLength = reader.u32(4);
  if (headerLength < HEADER_BYTES || headerLength > bytes.byteLength) {
    return invalid(`BTF header len ${headerLength} larger than data size ${bytes.byteLength}`);
  }
  const typeOffset = reader.u32(8);
  const typesLength = reader.u32(12);
  const stringOffset = reader.u32(16);
  const stringsLength = reader.u32(20);
  if (stringOffset + stringsLength > bytes.byteLength - headerLength) {
    return invalid(`Invalid BTF total size: ${bytes.byteLength}`);
  }
  if (typeOffset + typesLength > stringOffset) {
    return invalid(
      `Invalid BTF data sections layout: type data at ${typeOffset} + ${typesLength}, strings data at ${stringOffset} + ${stringsLength}`,
    );
  }
  if (typeOffset % 4 !== 0) return invalid('BTF type section is not aligned to 4 bytes');
  const strings = headerLength + stringOffset;
  if (!stringsAreTerminated(bytes, strings, stringsLength, split)) return invalid('Invalid BTF string section');
  return ok({ types: headerLength + typeOffset, typesLength, strings, stringsLength });
}

function stringsAreTerminated(bytes: Uint8Array, strings: number, length: number, split: boolean): boolean {
  if (length === 0) return split;
  if (length - 1 > MAX_NAME_OFFSET) return false;
  return bytes[strings + length - 1] === 0 && (split || bytes[strings] === 0);
}

/** Words whose index 0 is the first type's record: the blob itself, or a copy where it is not aligned. */
function alignedWords(bytes: Uint8Array, layout: Layout): Uint32Array {
  const start = bytes.byteOffset + layout.types;
  const length = layout.typesLength >>> 2;
  if (start % 4 === 0) return new Uint32Array(bytes.buffer, start, length);
  return new Uint32Array(new Uint8Array(bytes.subarray(layout.types, layout.types + length * 4)).buffer);
}

/** Word index of every type. */
function indexTypes(words: Uint32Array, layout: Layout, shared: boolean): Outcome<Uint32Array> {
  const count = countTypes(words, layout);
  if (!count.ok) return count;
  const index = allocateWords(count.value, shared);
  for (let i = 0, at = 0; i < count.value; i++) {
    index[i] = at;
    at += recordWords(words[at + 1]!);
  }
  return ok(index);
}

/** Walks the types once to count them, and to see that they fill the section. */
function countTypes(words: Uint32Array, layout: Layout): Outcome<number> {
  let count = 0;
  let at = 0;
  while (at + RECORD_WORDS <= words.length) {
    const info = words[at + 1]!;
    const length = recordWords(info);
    if (length < 0) return invalid(`Unsupported BTF_KIND:${(info >>> 24) & 0x1f}`);
    if (at + length > words.length) return invalid(`BTF type [${count + 1}] is malformed`);
    at += length;
    count++;
  }
  return at * 4 === layout.typesLength ? ok(count) : invalid('BTF types data is malformed');
}

function recordWords(info: number): number {
  const extra = kind.extraBytes((info >>> 24) & 0x1f, info & 0xffff);
  return extra < 0 ? -1 : RECORD_WORDS + (extra >>> 2);
}

interface References {
  readonly words: Uint32Array;
  readonly typeCount: number;
  readonly stringEnd: number;
}

/** The first type that names a string or type that does not exist, as libbpf words it (btf_sanity_check), or null. */
function firstBrokenReference(
  words: Uint32Array,
  index: Uint32Array,
  layout: Layout,
  base: Btf | null,
): Failure | null {
  const firstId = base === null ? 1 : base.typeCount;
  const refs = { words, typeCount: firstId + index.length, stringEnd: (base?.stringEnd ?? 0) + layout.stringsLength };
  for (let i = 0; i < index.length; i++) {
    const broken = brokenReference(refs, index[i]!);
    if (broken !== null) return invalidBtf(`btf: type [${firstId + i}]: ${broken}`);
  }
  return functionWithoutPrototype(words, index, firstId, base);
}

function brokenReference(refs: References, at: number): string | null {
  const { words } = refs;
  const info = words[at + 1]!;
  if (words[at]! >= refs.stringEnd) return `invalid type name (string offset ${words[at]})`;
  const vlen = info & 0xffff;
  switch ((info >>> 24) & 0x1f) {
    case kind.KIND_PTR:
    case kind.KIND_TYPEDEF:
    case kind.KIND_VOLATILE:
    case kind.KIND_CONST:
    case kind.KIND_RESTRICT:
    case kind.KIND_VAR:
    case kind.KIND_FUNC:
    case kind.KIND_DECL_TAG:
    case kind.KIND_TYPE_TAG:
      return brokenType(refs, words[at + 2]!);
    case kind.KIND_ARRAY:
      return brokenType(refs, words[at + 3]!) ?? brokenType(refs, words[at + 4]!);
    case kind.KIND_STRUCT:
    case kind.KIND_UNION:
      return brokenEntries(refs, at, vlen, 3, 'field name', 1);
    case kind.KIND_FUNC_PROTO:
      return brokenType(refs, words[at + 2]!) ?? brokenEntries(refs, at, vlen, 2, 'param name', 1);
    case kind.KIND_ENUM:
      return brokenEntries(refs, at, vlen, 2, 'enum name', -1);
    case kind.KIND_ENUM64:
      return brokenEntries(refs, at, vlen, 3, 'enum name', -1);
    case kind.KIND_DATASEC:
      return brokenEntries(refs, at, vlen, 3, null, 0);
    default:
      return null;
  }
}

function brokenType(refs: References, id: number): string | null {
  return id < refs.typeCount ? null : `invalid referenced type ID ${id}`;
}

/** Entries of `stride` words behind a record: a name in word 0 where `what` is given, a type in word `typeWord` (-1: none). */
function brokenEntries(
  refs: References,
  at: number,
  vlen: number,
  stride: number,
  what: string | null,
  typeWord: number,
): string | null {
  const { words, stringEnd, typeCount } = refs;
  for (let i = 0, entry = at + RECORD_WORDS; i < vlen; i++, entry += stride) {
    if (what !== null && words[entry]! >= stringEnd) return `invalid ${what} (string offset ${words[entry]})`;
    if (typeWord >= 0 && words[entry + typeWord]! >= typeCount) {
      return `invalid referenced type ID ${words[entry + typeWord]}`;
    }
  }
  return null;
}

function functionWithoutPrototype(
  words: Uint32Array,
  index: Uint32Array,
  firstId: number,
  base: Btf | null,
): Failure | null {
  for (let i = 0; i < index.length; i++) {
    const at = index[i]!;
    if (((words[at + 1]! >>> 24) & 0x1f) !== kind.KIND_FUNC) continue;
    const proto = words[at + 2]!;
    const protoKind =
      proto < firstId ? (base?.kind(proto) ?? kind.KIND_VOID) : (words[index[proto - firstId]! + 1]! >>> 24) & 0x1f;
    if (protoKind !== kind.KIND_FUNC_PROTO) {
      return invalidBtf(`btf: type [${firstId + i}]: referenced type [${proto}] is not FUNC_PROTO`);
    }
  }
  return null;
}
