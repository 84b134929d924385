import * as types from '../../../src/compiler/targets/types.js';
import type { Kernel } from '../kernel/kernel.js';

/** What older kernels call a thing that targets/types.ts has under its newer name. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['ARG_PTR_TO_ALLOC_MEM', 'ARG_PTR_TO_RINGBUF_MEM'],
  ['ARG_PTR_TO_KPTR', 'ARG_KPTR_XCHG_DEST'],
  ['RET_PTR_TO_ALLOC_MEM', 'RET_PTR_TO_MEM'],
  ['MEM_ALLOC', 'MEM_RINGBUF'], // until 6.1, where the flag had but this use
]);

const OURS: ReadonlyMap<string, number> = new Map(
  Object.entries(types).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : [])),
);

/** Translates a kernel's numbers of register, argument and result types into ours, by the enumerators' names. */
export class Vocabulary {
  private readonly flags = new Map<number, number>();
  private readonly bases = new Map<string, Map<number, number | string>>();

  constructor(kernel: Kernel) {
    const flagNames = kernel.enumerators('bpf_type_flag');
    const hasRingbufFlag = flagNames.has('MEM_RINGBUF');
    for (const [name, value] of flagNames) {
      if (value === 0 || (value & (value - 1)) !== 0) continue; // masks and ends of ranges
      const renamed = hasRingbufFlag ? name : (RENAMED.get(name) ?? name);
      const ours = OURS.get(renamed);
      if (ours !== undefined && !name.startsWith('__')) this.flags.set(value, ours);
    }
    for (const enumeration of ['bpf_reg_type', 'bpf_arg_type', 'bpf_return_type']) {
      const base = new Map<number, number | string>();
      for (const [name, value] of kernel.enumerators(enumeration)) {
        if (value > types.BASE_MASK || name.startsWith('__') || base.has(value)) continue;
        base.set(value, OURS.get(name) ?? OURS.get(RENAMED.get(name) ?? '') ?? name);
      }
      this.bases.set(enumeration, base);
    }
  }

  register(value: number): number {
    return this.translate('bpf_reg_type', value);
  }
  argument(value: number): number {
    return this.translate('bpf_arg_type', value);
  }
  result(value: number): number {
    return this.translate('bpf_return_type', value);
  }

  private translate(enumeration: string, value: number): number {
    let ours = this.bases.get(enumeration)?.get(value & types.BASE_MASK);
    if (typeof ours !== 'number') throw new Error(`${enumeration} ${value}: no name for ${ours ?? 'it'} in types.ts`);
    for (let bit = types.BASE_MASK + 1; bit > 0 && bit <= value; bit *= 2) {
      if ((value & bit) === 0) continue;
      const flag = this.flags.get(bit);
      if (flag === undefined) throw new Error(`${enumeration} ${value}: no name for flag ${bit}`);
      ours |= flag;
    }
    return ours;
  }
}
