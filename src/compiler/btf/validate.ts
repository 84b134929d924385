/** What the kernel checks of a program's BTF when it is loaded (btf_parse, kernel/bpf/btf.c, 6.12), with the kernel's log. */
import { ByteReader } from '../bytes/reader.js';
import { CheckContext, E2BIG, EINVAL, ELOOP, ENOTSUPP, MAX_NAME_OFFSET } from './check/context.js';
import { checkMetas } from './check/metas.js';
import { resolveTypes } from './check/resolve.js';
import * as kind from './kinds.js';
import { BTF_MAGIC } from './canonical.js';

const HEADER_BYTES = 24;
/** Largest BTF of a program (BTF_MAX_SIZE). */
const MAX_BYTES = 16 << 20;
/** Modifiers that may follow each other. */
const MAX_MODIFIERS = 32;

export interface BtfVerdict {
  /** 0, or the negative errno of BPF_BTF_LOAD. */
  readonly errno: number;
  /** The kernel's log at level 1; empty for a BTF that it takes. */
  readonly log: string;
}

/** Checks a blob in canonical form as BPF_BTF_LOAD does. Linear in its size. */
export function validateBtf(bytes: Uint8Array): BtfVerdict {
  const errno = check(bytes, null);
  if (errno === 0) return { errno, log: '' };
  const log: string[] = [];
  check(bytes, log);
  return { errno, log: log.join('') };
}

function check(bytes: Uint8Array, log: string[] | null): number {
  const refuse = (message: string, errno = EINVAL): number => {
    log?.push(message);
    return errno;
  };
  if (bytes.length > MAX_BYTES) return E2BIG;
  const reader = new ByteReader(bytes);
  if (!reader.has(0, 8)) return refuse('hdr_len not found');
  const headerLength = reader.u32(4);
  if (bytes.length < headerLength) return refuse('btf_header not found');
  for (let i = HEADER_BYTES; i < headerLength; i++) {
    if (bytes[i] !== 0) return refuse('Unsupported btf_header', E2BIG);
  }
  const field = (offset: number): number => (offset + 4 <= headerLength ? reader.u32(offset) : 0);
  const layout = { types: field(8), typesLength: field(12), strings: field(16), stringsLength: field(20) };
  log?.push(headerText(reader, headerLength, layout));
  if (reader.u16(0) !== BTF_MAGIC) return refuse('Invalid magic');
  if (reader.u8(2) !== 1) return refuse('Unsupported version', ENOTSUPP);
  if (reader.u8(3) !== 0) return refuse('Unsupported flags', ENOTSUPP);
  if (bytes.length === headerLength) return refuse('No data');
  const complaint =
    sectionComplaint(layout, bytes.length - headerLength) || stringComplaint(bytes, layout, headerLength);
  if (complaint !== '') return refuse(complaint);
  if (layout.types % 4 !== 0) return refuse('Unaligned type_off');
  if (layout.typesLength === 0) return refuse('No type found');
  return checkTypes(bytes, headerLength, layout, log);
}

interface SectionLayout {
  readonly types: number;
  readonly typesLength: number;
  readonly strings: number;
  readonly stringsLength: number;
}

function headerText(reader: ByteReader, headerLength: number, layout: SectionLayout): string {
  return [
    `magic: 0x${reader.u16(0).toString(16)}`,
    `version: ${reader.u8(2)}`,
    `flags: 0x${reader.u8(3).toString(16)}`,
    `hdr_len: ${headerLength}`,
    `type_off: ${layout.types}`,
    `type_len: ${layout.typesLength}`,
    `str_off: ${layout.strings}`,
    `str_len: ${layout.stringsLength}`,
    `btf_total_size: ${reader.length}`,
    '',
  ].join('\n');
}

/** Sections must follow each other without gap or overlap, to the end. */
function sectionComplaint(layout: SectionLayout, available: number): string {
  const sections = [
    { offset: layout.types, length: layout.typesLength },
    { offset: layout.strings, length: layout.stringsLength },
  ];
  sections.sort((a, b) => (a.offset - b.offset) | 0 || (a.length - b.length) | 0);
  let total = 0;
  for (const { offset, length } of sections) {
    if (available < offset) return 'Invalid section offset';
    if (total < offset) return 'Unsupported section found';
    if (total > offset) return 'Section overlap found';
    if (available - total < length) return 'Total section length too long';
    total += length;
  }
  return available === total ? '' : 'Unsupported section found';
}

function stringComplaint(bytes: Uint8Array, layout: SectionLayout, headerLength: number): string {
  const start = headerLength + layout.strings;
  const length = layout.stringsLength;
  if (start + length !== bytes.length) return 'String section is not at the end';
  if (length === 0 || length - 1 > MAX_NAME_OFFSET || bytes[start + length - 1] !== 0) return 'Invalid string section';
  return bytes[start] === 0 ? '' : 'Invalid string section';
}

function checkTypes(bytes: Uint8Array, headerLength: number, layout: SectionLayout, log: string[] | null): number {
  const start = headerLength + layout.types;
  const wordBytes = layout.typesLength & ~3;
  const words = new Uint32Array(new Uint8Array(bytes.subarray(start, start + wordBytes)).buffer);
  const context = new CheckContext(words, bytes, headerLength + layout.strings, layout.stringsLength, log);
  const err = checkMetas(context);
  if (err < 0) return err;
  if (wordBytes !== layout.typesLength) {
    return context.refuse(`[${context.logTypeId}] meta_left:${layout.typesLength - wordBytes} meta_needed:12`);
  }
  return resolveTypes(context) || checkTypeTags(context);
}

/** Type tags stand in front of other modifiers, and chains of modifiers are short (btf_check_type_tags). */
function checkTypeTags(context: CheckContext): number {
  let good = 0;
  for (let id = 1; id < context.at.length; id++) {
    if (!context.isModifier(id)) continue;
    let inTags = context.kind(id) === kind.KIND_TYPE_TAG;
    let left = MAX_MODIFIERS;
    for (let at = id; context.isModifier(at); at = context.sizeOrType(at)) {
      if (left-- === 0) return context.refuse('Max chain length or cycle detected', ELOOP);
      const isTag = context.kind(at) === kind.KIND_TYPE_TAG;
      if (isTag && !inTags) return context.refuse("Type tags don't precede modifiers");
      if (!isTag) inTags = false;
      if (at <= good) break;
    }
    good = id;
  }
  return 0;
}
