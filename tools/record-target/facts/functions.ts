import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { FunctionVariant } from '../../../src/compiler/targets/data.js';
import type { ProgramEmulator, ProgramKind } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import type { RegisteredStructOps } from './operations.js';

/** The registered sets of kernel functions by hook (struct btf_kfunc_set_tab): BTF id, flags, by turns. */
export function functionSets(kernel: Kernel): Record<string, number[]> {
  const sets: Record<string, number[]> = {};
  const btf = kernel.memory.u64(kernel.symbols.address('btf_vmlinux'));
  const table = kernel.read(btf, 'btf', 'kfunc_set_tab');
  if (table === 0n) return sets;
  const { offset } = kernel.member('btf_kfunc_set_tab', 'sets');
  for (const [name, hook] of kernel.enumerators('btf_kfunc_hook')) {
    if (name.endsWith('_MAX')) continue;
    const set = kernel.memory.u64(table + BigInt(offset + 8 * hook));
    if (set === 0n) continue;
    const words: number[] = [];
    const count = kernel.memory.u32(set);
    for (let i = 0; i < 2 * count; i++) words.push(kernel.memory.u32(set + 8n + BigInt(4 * i)));
    sets[name.replace('BTF_KFUNC_HOOK_', '')] = words;
  }
  return sets;
}

/** Which kernel functions each kind of program may call, hooks and filters taken into account, with their flags. */
export async function recordFunctions(
  emulator: ProgramEmulator,
  sets: Readonly<Record<string, readonly number[]>>,
  structs: readonly RegisteredStructOps[],
): Promise<FunctionVariant[]> {
  const { kernel } = emulator;
  const ids = [...new Set(Object.values(sets).flatMap((set) => set.filter((_, i) => i % 2 === 0)))].sort(
    (a, b) => a - b,
  );
  const contains = kernel.symbols.address('btf_kfunc_id_set_contains');
  const args = argumentsByName(kernel, 'btf_kfunc_id_set_contains');
  const ask = async (kind: ProgramKind, id: number): Promise<number> => {
    const values = args.map((name) => {
      if (name === 'prog') return emulator.program;
      if (name === 'prog_type') return BigInt(kind.type);
      if (name === 'kfunc_btf_id') return BigInt(id);
      if (name === 'btf') return kernel.memory.u64(kernel.symbols.address('btf_vmlinux'));
      throw new Error(`btf_kfunc_id_set_contains has an unknown parameter ${name}`);
    });
    const flags = await emulator.run(kind, () => undefined, contains, values);
    return flags === 0n ? -1 : kernel.memory.settle(() => kernel.memory.u32(flags));
  };
  const attachTypes = kernel.enumerators('bpf_attach_type').get('__MAX_BPF_ATTACH_TYPE') ?? 64;
  const found: FunctionVariant[] = [];
  for (const [name, type] of kernel.enumerators('bpf_prog_type')) {
    if (name.startsWith('__')) continue;
    const isStructOps = name === 'BPF_PROG_TYPE_STRUCT_OPS';
    for (const attachBtfId of isStructOps ? structs.map((s) => s.typeId) : [0]) {
      const groups = new Map<string, { attachTypes: number[]; functions: number[] }>();
      let differs = false;
      for (let attachType = 0; attachType < attachTypes; attachType++) {
        emulator.forget();
        const functions: number[] = [];
        for (const id of ids) {
          const flags = await ask({ type, attachType, sleepable: false, attachBtfId }, id);
          if (flags >= 0) functions.push(id, flags);
        }
        const group = groups.get(functions.join()) ?? { attachTypes: [], functions };
        group.attachTypes.push(attachType);
        groups.set(functions.join(), group);
        differs ||= emulator.looked.attachType;
        if (!differs) break;
      }
      for (const group of groups.values()) {
        found.push({
          type,
          attachTypes: groups.size > 1 ? group.attachTypes : null,
          attachBtfIds: isStructOps ? [attachBtfId] : null,
          functions: group.functions,
        });
      }
    }
  }
  return found;
}

/** Names of a kernel function's parameters, by its BTF: kernels order them differently. */
export function argumentsByName(kernel: Kernel, name: string): string[] {
  const { btf } = kernel;
  const proto = btf.sizeOrType(btf.find(name, kinds.KIND_FUNC));
  return Array.from({ length: btf.vlen(proto) }, (_, i) => btf.paramName(proto, i));
}
