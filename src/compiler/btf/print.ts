/** Types as text: C-like, for messages. */
import type { Btf } from './btf.js';
import * as kind from './kinds.js';
import { MAX_RESOLVE_DEPTH } from './layout.js';

/** The kernel's word for a type's kind in its log: STRUCT, PTR … (btf_type_str). */
export function kindName(btf: Btf, id: number): string {
  return kind.KIND_NAMES[btf.kind(id)] ?? 'UNKNOWN';
}

/** Name of a type as the log writes it: '(anon)' where it has none (__btf_name_by_offset). */
export function logName(btf: Btf, id: number): string {
  return btf.nameOff(id) === 0 ? '(anon)' : btf.typeName(id);
}

/** libbpf's word for a kind: struct, typedef, ptr … (btf_kind_str, tools/lib/bpf/btf.c). */
export function libbpfKindName(k: number): string {
  if (k === kind.KIND_VOID) return 'void';
  const name = kind.KIND_NAMES[k];
  return name === undefined ? 'unknown' : name.toLowerCase();
}

/** The C name of a type: `struct task_struct *`, `const char *`, `int[4]`. Never fails; cut short where it nests too deeply. */
export function typeText(btf: Btf, id: number): string {
  let suffix = '';
  let prefix = '';
  for (let depth = 0; depth < MAX_RESOLVE_DEPTH; depth++) {
    switch (btf.kind(id)) {
      case kind.KIND_PTR:
        suffix = `*${suffix}`;
        break;
      case kind.KIND_ARRAY:
        suffix = `${suffix}[${btf.arrayCount(id)}]`;
        id = btf.arrayElem(id);
        continue;
      case kind.KIND_CONST:
        prefix = `const ${prefix}`;
        break;
      case kind.KIND_VOLATILE:
        prefix = `volatile ${prefix}`;
        break;
      case kind.KIND_RESTRICT:
      case kind.KIND_TYPE_TAG:
        break;
      default:
        return `${prefix}${namedType(btf, id)}${suffix === '' ? '' : ` ${suffix}`}`;
    }
    id = btf.sizeOrType(id);
  }
  return '…';
}

function namedType(btf: Btf, id: number): string {
  const name = btf.nameOff(id) === 0 ? '(anon)' : btf.typeName(id);
  switch (btf.kind(id)) {
    case kind.KIND_VOID:
      return 'void';
    case kind.KIND_STRUCT:
      return `struct ${name}`;
    case kind.KIND_UNION:
      return `union ${name}`;
    case kind.KIND_ENUM:
    case kind.KIND_ENUM64:
      return `enum ${name}`;
    case kind.KIND_FWD:
      return `${btf.kindFlag(id) ? 'union' : 'struct'} ${name}`;
    case kind.KIND_FUNC_PROTO:
      return 'function';
    default:
      return name;
  }
}
