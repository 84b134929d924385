/** Maps defined in `.maps` by the types of their members (parse_btf_map_def, tools/lib/bpf/libbpf.c, 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { isEnum, typeSize } from '../btf/layout.js';
import { libbpfKindName } from '../btf/print.js';
import { ok, type Outcome } from '../outcome.js';
import { EINVAL, ENOTSUP, refuse } from './failure.js';
import * as uapi from '../targets/uapi.js';
import type { MapDefinition, Refusal } from './model.js';

export interface ParsedDefinition {
  readonly definition: MapDefinition;
  readonly inner: MapDefinition | null;
  /** Offset in bytes of the `values` member, -1 where there is none. */
  readonly valuesOffset: number;
}

export function emptyDefinition(): MapDefinition {
  return {
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    mapExtra: 0n,
    numaNode: 0,
    pinning: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    hasInner: false,
  };
}

export function isMapInMap(type: number): boolean {
  return type === uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS || type === uapi.BPF_MAP_TYPE_HASH_OF_MAPS;
}

class Parser {
  readonly definition = emptyDefinition();
  inner: MapDefinition | null = null;
  valuesOffset = -1;

  constructor(
    private readonly btf: Btf,
    private readonly name: string,
    private readonly structId: number,
    private readonly isInner: boolean,
  ) {}

  /** Null, or what libbpf refuses the definition for. */
  parse(): Refusal | null {
    const count = this.btf.vlen(this.structId);
    for (let i = 0; i < count; i++) {
      const refusal = this.parseMember(i, i === count - 1);
      if (refusal !== null) return refusal;
    }
    return this.definition.type === uapi.BPF_MAP_TYPE_UNSPEC ? this.refuse("map type isn't specified.") : null;
  }

  private refuse(message: string, errno = EINVAL): Refusal {
    return refuse('MAP_DEFINITION', `map '${this.name}': ${message}`, errno, { section: '.maps', symbol: this.name });
  }

  private parseMember(i: number, isLast: boolean): Refusal | null {
    const name = this.btf.memberName(this.structId, i);
    const { definition } = this;
    switch (name) {
      case 'type':
        return this.setInt(i, (value) => (definition.type = value));
      case 'max_entries':
        return this.setInt(i, (value) => (definition.maxEntries = value));
      case 'map_flags':
        return this.setInt(i, (value) => (definition.flags = value));
      case 'numa_node':
        return this.setInt(i, (value) => (definition.numaNode = value));
      case 'key_size':
      case 'value_size':
        return this.parseSize(i, name === 'key_size' ? 'key' : 'value');
      case 'key':
      case 'value':
        return this.parseType(i, name);
      case 'values':
        return this.parseValues(i, isLast);
      case 'pinning':
        return this.parsePinning(i);
      case 'map_extra':
        return this.parseExtra(i);
      default:
        return this.refuse(`unknown field '${name}'.`, ENOTSUP);
    }
  }

  /** An integer attribute is the dimension of an array that the member points to. */
  private int(i: number): number | Refusal {
    const { btf } = this;
    const name = btf.memberName(this.structId, i);
    const pointer = btf.skipModifiers(btf.memberType(this.structId, i));
    if (btf.kind(pointer) !== kind.KIND_PTR) {
      return this.refuse(`attr '${name}': expected PTR, got ${libbpfKindName(btf.kind(pointer))}.`);
    }
    const array = btf.sizeOrType(pointer);
    if (btf.kind(array) !== kind.KIND_ARRAY) {
      return this.refuse(`attr '${name}': expected ARRAY, got ${libbpfKindName(btf.kind(array))}.`);
    }
    return btf.arrayCount(array);
  }

  private setInt(i: number, set: (value: number) => void): Refusal | null {
    const value = this.int(i);
    if (typeof value !== 'number') return value;
    set(value);
    return null;
  }

  private parseSize(i: number, what: 'key' | 'value'): Refusal | null {
    const size = this.int(i);
    return typeof size === 'number' ? this.setSize(what, size) : size;
  }

  private setSize(what: 'key' | 'value', size: number): Refusal | null {
    const field = what === 'key' ? 'keySize' : 'valueSize';
    const known = this.definition[field];
    if (known !== 0 && known !== size) return this.refuse(`conflicting ${what} size ${known} != ${size}.`);
    this.definition[field] = size;
    return null;
  }

  private parseType(i: number, what: 'key' | 'value'): Refusal | null {
    const { btf } = this;
    const pointer = btf.memberType(this.structId, i);
    if (btf.kind(pointer) !== kind.KIND_PTR) {
      return this.refuse(`${what} spec is not PTR: ${libbpfKindName(btf.kind(pointer))}.`);
    }
    const typeId = btf.sizeOrType(pointer);
    const size = typeSize(btf, typeId);
    if (size < 0) {
      return this.refuse(`can't determine ${what} size for type [${typeId}]: ${EINVAL}.`);
    }
    const refusal = this.setSize(what, size);
    if (refusal !== null) return refusal;
    this.definition[what === 'key' ? 'keyTypeId' : 'valueTypeId'] = typeId;
    return null;
  }

  private parsePinning(i: number): Refusal | null {
    if (this.isInner) return this.refuse("inner def can't be pinned.");
    const value = this.int(i);
    if (typeof value !== 'number') return value;
    if (value > 1) return this.refuse(`invalid pinning value ${value}.`);
    this.definition.pinning = value;
    return null;
  }

  /** 64 bits: an array's dimension, or the value of an enumeration of one. */
  private parseExtra(i: number): Refusal | null {
    const { btf } = this;
    const id = btf.skipModifiers(btf.memberType(this.structId, i));
    if (btf.kind(id) === kind.KIND_PTR) {
      return this.setInt(i, (value) => (this.definition.mapExtra = BigInt(value)));
    }
    if (!isEnum(btf, id)) {
      const got = libbpfKindName(btf.kind(id));
      return this.refuse(`attr 'map_extra': expected ENUM or ENUM64, got ${got}.`);
    }
    if (btf.vlen(id) !== 1) return this.refuse("attr 'map_extra': invalid __ulong");
    const lo = btf.enumValueLo(id, 0);
    // An enumerator of 32 bits is sign-extended, whatever the enumeration's sign.
    const hi = btf.kind(id) === kind.KIND_ENUM ? lo >> 31 : btf.enumValueHi(id, 0);
    this.definition.mapExtra = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    return null;
  }

  /** The initial values of a map-in-map, whose type is that of the inner maps, or of a program array. */
  private parseValues(i: number, isLast: boolean): Refusal | null {
    const { btf, definition } = this;
    if (this.isInner) return this.refuse('multi-level inner maps not supported.', ENOTSUP);
    if (!isLast) return this.refuse("'values' member should be last.");
    const holdsMaps = isMapInMap(definition.type);
    if (!holdsMaps && definition.type !== uapi.BPF_MAP_TYPE_PROG_ARRAY) {
      return this.refuse('should be map-in-map or prog-array.', ENOTSUP);
    }
    if (definition.valueSize !== 0 && definition.valueSize !== 4) {
      return this.refuse(`conflicting value size ${definition.valueSize} != 4.`);
    }
    definition.valueSize = 4;
    this.valuesOffset = Math.floor(btf.memberBitOffset(this.structId, i) / 8);
    const what = holdsMaps ? 'map-in-map inner' : 'prog-array value';
    const array = btf.memberType(this.structId, i);
    if (btf.kind(array) !== kind.KIND_ARRAY || btf.arrayCount(array) !== 0) {
      return this.refuse(`${what} spec is not a zero-sized array.`);
    }
    const pointer = btf.skipModifiers(btf.arrayElem(array));
    if (btf.kind(pointer) !== kind.KIND_PTR) {
      return this.refuse(`${what} def is of unexpected kind ${libbpfKindName(btf.kind(pointer))}.`);
    }
    const pointee = btf.skipModifiers(btf.sizeOrType(pointer));
    const expected = holdsMaps ? kind.KIND_STRUCT : kind.KIND_FUNC_PROTO;
    if (btf.kind(pointee) !== expected) {
      return this.refuse(`${what} def is of unexpected kind ${libbpfKindName(btf.kind(pointee))}.`);
    }
    return holdsMaps ? this.parseInner(pointee) : null;
  }

  private parseInner(structId: number): Refusal | null {
    const parser = new Parser(this.btf, `${this.name}.inner`, structId, true);
    const refusal = parser.parse();
    if (refusal !== null) return refusal;
    this.inner = parser.definition;
    this.definition.hasInner = true;
    return null;
  }
}

/** Reads the definition of one map from the struct type of its variable. */
export function parseMapDefinition(
  btf: Btf,
  name: string,
  structId: number,
  pageSize: number,
): Outcome<ParsedDefinition> {
  const parser = new Parser(btf, name, structId, false);
  const refusal = parser.parse();
  if (refusal !== null) return refusal;
  adjustRingBuffer(parser.definition, pageSize);
  if (parser.inner !== null) adjustRingBuffer(parser.inner, pageSize);
  return ok({ definition: parser.definition, inner: parser.inner, valuesOffset: parser.valuesOffset });
}

/** A ring buffer's size becomes the next power of two of pages, as libbpf rounds it. */
function adjustRingBuffer(definition: MapDefinition, pageSize: number): void {
  if (definition.type !== uapi.BPF_MAP_TYPE_RINGBUF && definition.type !== uapi.BPF_MAP_TYPE_USER_RINGBUF) return;
  const size = definition.maxEntries;
  const pages = size / pageSize;
  if (size === 0 || (Number.isInteger(pages) && Number.isInteger(Math.log2(pages)))) return;
  for (let bytes = pageSize; bytes <= 0xffff_ffff; bytes *= 2) {
    if (bytes > size) {
      definition.maxEntries = bytes;
      return;
    }
  }
}
