/** What the kernel's checks of a program's BTF share: the types found so far, and the log. */
import { latin1 } from '../../bytes/reader.js';
import * as kind from '../kinds.js';
import { KIND_NAMES } from '../kinds.js';

export const E2BIG = -7;
export const EEXIST = -17;
export const EINVAL = -22;
export const ELOOP = -40;
/** The kernel's own number, which user space has no name for. */
export const ENOTSUPP = -524;

/** Highest type id (BTF_MAX_TYPE) and string offset (BTF_MAX_NAME_OFFSET). */
export const MAX_TYPE = 0x000f_ffff;
export const MAX_NAME_OFFSET = 0x00ff_ffff;
/** Longest identifier (KSYM_NAME_LEN). */
const MAX_IDENTIFIER = 512;
const MAX_LOGGED_NAME = 1024;

export class CheckContext {
  /** Word index of every type's record; void has none. */
  readonly at: number[] = [-1];
  /** The type that the log speaks of. */
  logTypeId = 1;
  /** Types are dumped as they are found; behind that phase a complaint repeats the type it is about. */
  isFirstPhase = true;

  constructor(
    readonly words: Uint32Array,
    private readonly bytes: Uint8Array,
    private readonly strings: number,
    private readonly stringLength: number,
    /** Lines of the kernel's log; null where nobody wants it. */
    readonly log: string[] | null,
  ) {}

  has(id: number): boolean {
    return id < this.at.length;
  }
  word(id: number, k: number): number {
    return id === 0 ? 0 : this.words[this.at[id]! + k]!;
  }
  nameOff(id: number): number {
    return this.word(id, 0);
  }
  info(id: number): number {
    return this.word(id, 1);
  }
  kind(id: number): number {
    return (this.info(id) >>> 24) & 0x1f;
  }
  vlen(id: number): number {
    return this.info(id) & 0xffff;
  }
  kindFlag(id: number): boolean {
    return this.info(id) >>> 31 === 1;
  }
  sizeOrType(id: number): number {
    return this.word(id, 2);
  }
  /** Word `k` behind the record. */
  extra(id: number, k: number): number {
    return this.word(id, 3 + k);
  }

  isValidOffset(off: number): boolean {
    return off <= MAX_NAME_OFFSET && off < this.stringLength;
  }
  /** First byte of a string, 0 where the offset is bad. */
  firstByte(off: number): number {
    return this.isValidOffset(off) ? this.bytes[this.strings + off]! : 0;
  }
  /** Whether a string is an identifier: letters, digits, '_' and '.', no digit in front. */
  isIdentifier(off: number): boolean {
    return this.isName(off, (byte, first) => isNameByte(byte) && !(first && byte >= 0x30 && byte <= 0x39));
  }
  /** Whether a string is a section's name: anything printable. */
  isSectionName(off: number): boolean {
    return this.isName(off, (byte) => byte >= 0x20 && byte < 0x7f);
  }

  private isName(off: number, isGood: (byte: number, first: boolean) => boolean): boolean {
    const start = this.strings + off;
    for (let i = start; i <= start + MAX_IDENTIFIER; i++) {
      const byte = this.bytes[i]!;
      if (byte === 0) return i > start;
      if (!isGood(byte, i === start)) return false;
    }
    return false;
  }

  /** A name as the log writes it. */
  name(off: number): string {
    if (off === 0) return '(anon)';
    if (off >= this.stringLength) return '(invalid-name-offset)';
    const start = this.strings + off;
    const end = this.bytes.indexOf(0, start);
    return latin1(this.bytes, start, Math.min(end, start + MAX_LOGGED_NAME));
  }

  isModifier(id: number): boolean {
    const k = this.kind(id);
    return (k >= kind.KIND_TYPEDEF && k <= kind.KIND_RESTRICT) || k === kind.KIND_TYPE_TAG;
  }
  isStruct(id: number): boolean {
    return this.kind(id) === kind.KIND_STRUCT || this.kind(id) === kind.KIND_UNION;
  }
  /** Whether an integer is of 1, 2, 4, 8 or 16 whole bytes. */
  isRegularInt(id: number): boolean {
    const data = this.extra(id, 0);
    const bits = data & 0xff;
    return ((data >>> 16) & 0xff) === 0 && [8, 16, 32, 64, 128].includes(bits);
  }

  /** Complains without speaking of a type. */
  refuse(message: string, errno = EINVAL): number {
    this.log?.push(message);
    return errno;
  }
  /** Writes a type to the log, with what is wrong with it. */
  logType(id: number, message = '', withDetails = true): void {
    if (this.log === null) return;
    const details = withDetails ? ` ${this.details(id)}` : '';
    const kindName = KIND_NAMES[this.kind(id)] ?? 'UNKNOWN';
    const complaint = message === '' ? '' : ` ${message}`;
    this.log.push(`[${this.logTypeId}] ${kindName} ${this.name(this.nameOff(id))}${details}${complaint}\n`);
  }
  refuseType(id: number, message: string, errno = EINVAL): number {
    this.logType(id, message);
    return errno;
  }
  logMember(structId: number, i: number, message = ''): void {
    if (this.log === null) return;
    if (!this.isFirstPhase) this.logType(structId);
    const off = this.extra(structId, i * 3 + 2);
    const place = this.kindFlag(structId)
      ? `bitfield_size=${off >>> 24} bits_offset=${off & 0xffffff}`
      : `bits_offset=${off}`;
    const name = this.name(this.extra(structId, i * 3));
    const complaint = message === '' ? '' : ` ${message}`;
    this.log.push(`\t${name} type_id=${this.extra(structId, i * 3 + 1)} ${place}${complaint}\n`);
  }
  refuseMember(structId: number, i: number, message: string): number {
    this.logMember(structId, i, message);
    return EINVAL;
  }
  logVariable(sectionId: number, i: number, message = ''): void {
    if (this.log === null) return;
    if (!this.isFirstPhase) this.logType(sectionId);
    const [type, offset, size] = [0, 1, 2].map((k) => this.extra(sectionId, i * 3 + k));
    const complaint = message === '' ? '' : ` ${message}`;
    this.log.push(`\t type_id=${type} offset=${offset} size=${size}${complaint}\n`);
  }
  refuseVariable(sectionId: number, i: number, message: string): number {
    this.logVariable(sectionId, i, message);
    return EINVAL;
  }

  /** What the log says of a type of each kind. */
  private details(id: number): string {
    const third = this.sizeOrType(id);
    switch (this.kind(id)) {
      case kind.KIND_INT: {
        const data = this.extra(id, 0);
        const encoding = ENCODINGS.get((data >>> 24) & 0x0f) ?? 'UNKN';
        return `size=${third} bits_offset=${(data >>> 16) & 0xff} nr_bits=${data & 0xff} encoding=${encoding}`;
      }
      case kind.KIND_ARRAY:
        return `type_id=${this.extra(id, 0)} index_type_id=${this.extra(id, 1)} nr_elems=${this.extra(id, 2)}`;
      case kind.KIND_STRUCT:
      case kind.KIND_UNION:
      case kind.KIND_ENUM:
      case kind.KIND_ENUM64:
      case kind.KIND_DATASEC:
        return `size=${third} vlen=${this.vlen(id)}`;
      case kind.KIND_FWD:
        return this.kindFlag(id) ? 'union' : 'struct';
      case kind.KIND_FUNC_PROTO:
        return `return=${third} args=(${this.parameters(id)})`;
      case kind.KIND_VAR:
        return `type_id=${third} linkage=${this.extra(id, 0)}`;
      case kind.KIND_FLOAT:
        return `size=${third}`;
      case kind.KIND_DECL_TAG:
        return `type=${third} component_idx=${this.extra(id, 0) | 0}`;
      default:
        return `type_id=${third}`;
    }
  }

  private parameters(id: number): string {
    const count = this.vlen(id);
    if (count === 0) return 'void';
    return Array.from({ length: count }, (_, i) => {
      const type = this.extra(id, i * 2 + 1);
      const isVarArg = type === 0 && i === count - 1;
      return isVarArg ? 'vararg' : `${type} ${this.name(this.extra(id, i * 2))}`;
    }).join(', ');
  }
}

const ENCODINGS: ReadonlyMap<number, string> = new Map([
  [0, '(none)'],
  [kind.INT_SIGNED, 'SIGNED'],
  [kind.INT_CHAR, 'CHAR'],
  [kind.INT_BOOL, 'BOOL'],
]);

function isNameByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte === 0x2e;
}
