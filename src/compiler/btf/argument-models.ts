/** How functions take their arguments, as far as calling conventions ask (btf_distill_func_proto, Linux 6.12). */
import type { Btf } from './btf.js';
import { INT_SIGNED, KIND_INT, KIND_PTR } from './kinds.js';

/** An argument's size, and whether it is a signed integer. */
export interface ArgumentModel {
  readonly bytes: number;
  readonly signed: boolean;
}

const POINTER_BYTES = 8;

/** The arguments of the function whose FUNC is `id`. */
export function argumentModels(btf: Btf, id: number): readonly ArgumentModel[] {
  const proto = btf.sizeOrType(id);
  return Array.from({ length: btf.vlen(proto) }, (_, i) => {
    const type = btf.skipModifiers(btf.paramType(proto, i));
    const kind = btf.kind(type);
    return {
      bytes: kind === KIND_PTR ? POINTER_BYTES : btf.sizeOrType(type),
      signed: kind === KIND_INT && (btf.intEncoding(type) & INT_SIGNED) !== 0,
    };
  });
}
