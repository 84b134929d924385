import type { Btf } from './btf.js';
import { KIND_DECL_TAG } from './kinds.js';

const ENOENT = -2;
const EEXIST = -17;

/**
 * Value behind `key` of the only declaration tag of a type (component -1) or one of its members that starts with `key`;
 * -ENOENT where there is none, -EEXIST where there are several (btf_find_decl_tag_value, 6.12).
 */
export function declTagValue(btf: Btf, typeId: number, component: number, key: string): string | number {
  let value: string | null = null;
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== KIND_DECL_TAG || btf.sizeOrType(id) !== typeId) continue;
    if (btf.declTagComponent(id) !== component) continue;
    const name = btf.typeName(id);
    if (!name.startsWith(key)) continue;
    if (value !== null) return EEXIST;
    value = name.slice(key.length);
  }
  return value ?? ENOENT;
}
