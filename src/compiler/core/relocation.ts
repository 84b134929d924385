/** enum bpf_core_relo_kind (include/uapi/linux/bpf.h): what a CO-RE relocation asks of the target's types. */
export const FIELD_BYTE_OFFSET = 0;
export const FIELD_BYTE_SIZE = 1;
export const FIELD_EXISTS = 2;
export const FIELD_SIGNED = 3;
export const FIELD_LSHIFT_U64 = 4;
export const FIELD_RSHIFT_U64 = 5;
export const TYPE_ID_LOCAL = 6;
export const TYPE_ID_TARGET = 7;
export const TYPE_EXISTS = 8;
export const TYPE_SIZE = 9;
export const ENUMVAL_EXISTS = 10;
export const ENUMVAL_VALUE = 11;
export const TYPE_MATCHES = 12;

/** struct bpf_core_relo: `typeId` and the access string are the program's. */
export interface CoreRelocation {
  readonly typeId: number;
  /** Offset of the access string ("0:1:2") in the program BTF's strings. */
  readonly accessOff: number;
  readonly kind: number;
}

/** libbpf's words for the kinds. */
const KIND_NAMES = [
  'byte_off',
  'byte_sz',
  'field_exists',
  'signed',
  'lshift_u64',
  'rshift_u64',
  'local_type_id',
  'target_type_id',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const;

export function relocationKindName(kind: number): string {
  return KIND_NAMES[kind] ?? 'unknown';
}

export function isFieldBased(kind: number): boolean {
  return kind <= FIELD_RSHIFT_U64;
}
export function isTypeBased(kind: number): boolean {
  return (kind >= TYPE_ID_LOCAL && kind <= TYPE_SIZE) || kind === TYPE_MATCHES;
}
export function isEnumBased(kind: number): boolean {
  return kind === ENUMVAL_EXISTS || kind === ENUMVAL_VALUE;
}
