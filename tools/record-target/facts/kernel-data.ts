import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { IteratorRecord, KernelData } from '../../../src/compiler/targets/data.js';
import { SCRATCH, type ProgramEmulator } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import { Unreadable } from '../kernel/memory.js';
import type { Vocabulary } from './vocabulary.js';

const FUNCTION_POINTER = kinds.KIND_FUNC_PROTO;

/** Destructors of kernel objects that programs may keep (kptrs): type, function, by turns. */
export function destructors(kernel: Kernel): number[] {
  const btf = kernel.memory.u64(kernel.symbols.address('btf_vmlinux'));
  const table = kernel.read(btf, 'btf', 'dtor_kfunc_tab');
  if (table === 0n) return [];
  const count = Number(kernel.read(table, 'btf_id_dtor_kfunc_tab', 'cnt'));
  return Array.from({ length: 2 * count }, (_, i) => kernel.memory.u32(table + 4n + BigInt(4 * i)));
}

/** struct bpf_map_ops of every map type: the symbols of its functions, and the id of the map's own type. */
export function mapOperations(kernel: Kernel): KernelData['mapOps'] {
  const { btf, memory, symbols } = kernel;
  const table = symbols.address('bpf_map_types');
  const id = btf.find('bpf_map_ops', kinds.KIND_STRUCT);
  const found: [number, Record<string, string | number>][] = [];
  for (const [name, type] of kernel.enumerators('bpf_map_type')) {
    if (name.startsWith('__') || found.some(([known]) => known === type)) continue;
    const at = table + 8n * BigInt(type);
    if (at >= symbols.next(table)) continue;
    const ops = memory.u64(at);
    if (ops === 0n) continue;
    const record: Record<string, string | number> = {};
    for (let i = 0; i < btf.vlen(id); i++) {
      const value = memory.u64(ops + BigInt(btf.memberBitOffset(id, i) >> 3));
      const pointer = btf.skipModifiers(btf.memberType(id, i));
      if (value === 0n || btf.kind(pointer) !== kinds.KIND_PTR) continue;
      const isFunction = btf.kind(btf.skipModifiers(btf.sizeOrType(pointer))) === FUNCTION_POINTER;
      const member = btf.memberName(id, i);
      if (isFunction) record[member] = symbols.name(value) ?? '';
      else if (member === 'map_btf_id') record[member] = memory.u32(value);
    }
    found.push([type, record]);
  }
  return found;
}

/** struct bpf_iter_target_info: the registered iterators, found as the list whose members name existing functions. */
export function iterators(kernel: Kernel, vocabulary: Vocabulary): IteratorRecord[] {
  for (const address of kernel.symbols.all('targets')) {
    const found = tryIterators(kernel, vocabulary, address);
    if (found !== null && found.length > 0) return found;
  }
  return [];
}

/** What is no list of iterators may lead anywhere. */
function tryIterators(kernel: Kernel, vocabulary: Vocabulary, head: bigint): IteratorRecord[] | null {
  try {
    return walkIterators(kernel, vocabulary, head);
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

function walkIterators(kernel: Kernel, vocabulary: Vocabulary, head: bigint): IteratorRecord[] | null {
  const { btf, memory } = kernel;
  const found: IteratorRecord[] = [];
  const list = BigInt(kernel.member('bpf_iter_target_info', 'list').offset);
  const inKernel = (at: bigint): boolean => kernel.architecture.isKernelAddress(at);
  for (let at = memory.u64(head); at !== head; at = memory.u64(at)) {
    if (!inKernel(at) || found.length > 256) return null;
    const info = kernel.read(at - list, 'bpf_iter_target_info', 'reg_info');
    if (!inKernel(info)) return null;
    const target = kernel.read(info, 'bpf_iter_reg', 'target');
    if (!inKernel(target)) return null;
    const name = memory.text(target);
    const btfId = btf.find(`bpf_iter_${name}`, kinds.KIND_FUNC);
    if (btfId === 0) return null;
    const count = Number(kernel.read(info, 'bpf_iter_reg', 'ctx_arg_info_size'));
    const first = info + BigInt(kernel.member('bpf_iter_reg', 'ctx_arg_info').offset);
    found.push({ name, btfId, arguments: contextArguments(kernel, vocabulary, first, count) });
  }
  return found;
}

/** struct bpf_ctx_arg_aux, so many: offset, register type, BTF id. */
export function contextArguments(
  kernel: Kernel,
  vocabulary: Vocabulary,
  first: bigint,
  count: number,
): [number, number, number][] {
  const size = BigInt(kernel.sizeOf('bpf_ctx_arg_aux'));
  return Array.from({ length: count }, (_, i) => {
    const at = first + BigInt(i) * size;
    const field = (name: string) => Number(kernel.read(at, 'bpf_ctx_arg_aux', name));
    return [field('offset'), vocabulary.register(field('reg_type')), field('btf_id')];
  });
}

/** Tracepoints that raw programs attach to: name → the function behind it. */
export function rawTracepoints(kernel: Kernel): Record<string, string> {
  const { memory, symbols } = kernel;
  const found: Record<string, string> = {};
  const end = symbols.address('__stop__bpf_raw_tp');
  const size = BigInt(kernel.sizeOf('bpf_raw_event_map'));
  for (let at = symbols.address('__start__bpf_raw_tp'); at < end; at += size) {
    const tracepoint = kernel.read(at, 'bpf_raw_event_map', 'tp');
    const name = memory.text(kernel.read(tracepoint, 'tracepoint', 'name'));
    found[name] = symbols.name(kernel.read(at, 'bpf_raw_event_map', 'bpf_func')) ?? '';
  }
  return found;
}

/** Tracepoints whose arguments may be null or error pointers (raw_tp_null_args): name → mask, hexadecimal. */
export function rawTracepointNulls(kernel: Kernel): Record<string, string> {
  const { memory, symbols } = kernel;
  const table = symbols.find('raw_tp_null_args');
  const found: Record<string, string> = {};
  if (table === null) return found;
  for (let at = table; at < symbols.next(table); at += 16n) {
    const name = memory.u64(at);
    if (!kernel.architecture.isKernelAddress(name)) break;
    found[memory.text(name)] = `0x${memory.u64(at + 8n).toString(16)}`;
  }
  return found;
}

/** Names of functions whose errors may be injected. */
export function errorInjectable(kernel: Kernel): string[] {
  const { memory, symbols } = kernel;
  const head = symbols.find('error_injection_list');
  if (head === null) return [];
  const names = new Set<string>();
  const list = BigInt(kernel.member('ei_entry', 'list').offset);
  for (let at = memory.u64(head); at !== head; at = memory.u64(at)) {
    const start = kernel.read(at - list, 'ei_entry', 'start_addr');
    // The list keeps the address behind a function's entry marks on some kernels: name what lies there or just before.
    for (const back of [0n, 4n, 8n]) for (const name of symbols.names(start - back)) names.add(name);
  }
  return [...names].sort();
}

/** Program type → its context structure as programs see it, and as the kernel has it (struct bpf_ctx_convert). */
export function contextTypes(kernel: Kernel): [number, number, number][] {
  const { btf } = kernel;
  const id = btf.find('bpf_ctx_convert', kinds.KIND_STRUCT);
  const programTypes = kernel.enumerators('bpf_prog_type');
  const found: [number, number, number][] = [];
  for (let i = 0; i + 1 < btf.vlen(id); i += 2) {
    const type = programTypes.get(btf.memberName(id, i).replace(/_prog$/, ''));
    if (type !== undefined) found.push([type, btf.memberType(id, i), btf.memberType(id, i + 1)]);
  }
  return found;
}

/** What LSM hooks may answer, where the kernel limits it (bpf_lsm_get_retval_range). */
export async function lsmResults(
  emulator: ProgramEmulator,
  hooks: readonly number[],
): Promise<[number, number, number][]> {
  const { kernel, cpu } = emulator;
  const ask = kernel.symbols.find('bpf_lsm_get_retval_range');
  const type = kernel.enumerators('bpf_prog_type').get('BPF_PROG_TYPE_LSM');
  if (ask === null || type === undefined) return [];
  const found: [number, number, number][] = [];
  for (const attachBtfId of hooks) {
    const kind = { type, attachType: 0, sleepable: false, attachBtfId };
    const answer = await emulator.run(kind, () => undefined, ask, [emulator.program, SCRATCH]);
    if ((answer & 0xffff_ffffn) !== 0n) continue;
    const value = (at: bigint) => Number(BigInt.asIntN(32, cpu.load(at, 4)));
    found.push([attachBtfId, value(SCRATCH), value(SCRATCH + 4n)]);
  }
  return found;
}
