/** Names of what code refers to, for linkers: docs/relocations.md tells them. */
import type { SymbolRef } from '../../jit/program.js';

/** `maps` are the program's, in the order its symbols count them; functions are named by their own symbols. */
export function symbolName(symbol: SymbolRef, maps: readonly { readonly name: string }[], program: string): string {
  const map = (index: number): string => maps[index]?.name ?? String(index);
  switch (symbol.kind) {
    case 'function':
      return `${program}.${symbol.index}`;
    case 'kernel':
      return symbol.name;
    case 'map':
      return `bpf_map.${map(symbol.index)}`;
    case 'mapValue':
      return `bpf_map_value.${map(symbol.index)}`;
    case 'programAux':
      return `bpf_prog_aux.${program}`;
    case 'structMeta':
      return `btf_struct_meta.${symbol.typeId}`;
    case 'arena':
      return `bpf_arena.${symbol.side}.${map(symbol.index)}`;
  }
}
