/** A relocation as libbpf prints it: `<byte_off> [7] struct task_struct.comm[3] (0:2:3 @ offset 11)`. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { libbpfKindName } from '../btf/print.js';
import { isEnumBased, isFieldBased, relocationKindName, type CoreRelocation } from './relocation.js';
import { parseSpec, type Spec } from './spec.js';

/** Longest text: libbpf's buffer, less its end. */
const MAX_TEXT = 255;

/** What a relocation of the program's asks for, or null where it makes no sense. */
export function formatRelocation(btf: Btf, relocation: CoreRelocation): string | null {
  const spec = parseSpec(btf, relocation);
  if (typeof spec === 'number') return null;
  const text = formatSpec(spec);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

function formatSpec(spec: Spec): string {
  const { btf, rootId } = spec;
  const name = btf.typeName(rootId) || '<anon>';
  const type = `<${relocationKindName(spec.kind)}> [${rootId}] ${libbpfKindName(btf.kind(rootId))} ${name}`;
  if (isEnumBased(spec.kind)) return type + formatEnumerator(spec);
  return isFieldBased(spec.kind) ? type + formatField(spec) : type;
}

function formatEnumerator({ btf, accessors }: Spec): string {
  const { typeId, index } = accessors[0]!;
  const lo = btf.enumValueLo(typeId, index);
  const isSigned = btf.kindFlag(typeId);
  const name = btf.enumName(typeId, index);
  if (btf.kind(typeId) === kind.KIND_ENUM) return `::${name} = ${isSigned ? lo : lo >>> 0}`;
  const value = (BigInt(btf.enumValueHi(typeId, index)) << 32n) | BigInt(lo >>> 0);
  return `::${name} = ${isSigned ? value : BigInt.asUintN(64, value)}`;
}

function formatField({ accessors, raw, bitOffset }: Spec): string {
  let path = '';
  for (const [i, { name, index }] of accessors.entries()) {
    if (name !== null) path += `.${name}`;
    else if (i > 0 || index > 0) path += `[${index}]`;
  }
  const bits = bitOffset % 8 === 0 ? '' : `.${bitOffset % 8}`;
  return `${path} (${raw.join(':')} @ offset ${Math.floor(bitOffset / 8)}${bits})`;
}
