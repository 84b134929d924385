import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { StructOpsRecord } from '../../../src/compiler/targets/data.js';
import { SCRATCH, type ProgramEmulator } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import { argumentsByName } from './functions.js';
import { contextArguments } from './kernel-data.js';
import type { Operations, RegisteredStructOps } from './operations.js';
import type { Vocabulary } from './vocabulary.js';

/** Structures that struct_ops programs implement: a table in vmlinux BTF (6.9 and later), an array before. */
export function registeredStructOps(kernel: Kernel): RegisteredStructOps[] {
  if (kernel.findMember('btf', 'struct_ops_tab') !== null) return fromTable(kernel);
  const { memory, symbols } = kernel;
  const array = symbols.find('bpf_struct_ops');
  const found: RegisteredStructOps[] = [];
  for (let at = array ?? 0n; array !== null && at < symbols.next(array); at += 8n) {
    const address = memory.u64(at);
    if (address === 0n) break;
    const read = (member: string) => kernel.read(address, 'bpf_struct_ops', member);
    found.push({
      name: memory.text(read('name')),
      typeId: Number(read('type_id')),
      valueId: Number(read('value_id')),
      address,
      argumentInfo: 0n,
    });
  }
  return found.filter(({ typeId }) => typeId !== 0);
}

function fromTable(kernel: Kernel): RegisteredStructOps[] {
  const { memory } = kernel;
  const btf = memory.u64(kernel.symbols.address('btf_vmlinux'));
  const table = kernel.read(btf, 'btf', 'struct_ops_tab');
  if (table === 0n) return [];
  const first = table + BigInt(kernel.member('btf_struct_ops_tab', 'ops').offset);
  const size = BigInt(kernel.sizeOf('bpf_struct_ops_desc'));
  return Array.from({ length: Number(kernel.read(table, 'btf_struct_ops_tab', 'cnt')) }, (_, i) => {
    const read = (member: string) => kernel.read(first + BigInt(i) * size, 'bpf_struct_ops_desc', member);
    const address = read('st_ops');
    return {
      name: memory.text(kernel.read(address, 'bpf_struct_ops', 'name')),
      typeId: Number(read('type_id')),
      valueId: Number(read('value_id')),
      address,
      argumentInfo: read('arg_info'),
    };
  });
}

/** What programs may do with each structure: members, arguments, promoted types, writable fields. */
export async function recordStructOps(
  emulator: ProgramEmulator,
  vocabulary: Vocabulary,
  structs: readonly RegisteredStructOps[],
  operations: readonly Operations[],
): Promise<StructOpsRecord[]> {
  const { kernel } = emulator;
  const found: StructOpsRecord[] = [];
  for (const struct of structs) {
    const ops = operations.find((o) => o.attachBtfId === struct.typeId);
    if (ops === undefined) continue;
    const members = functionMembers(kernel, struct.typeId);
    const { supported, sleepable } = await implementable(emulator, struct, members);
    const pointees = argumentStructures(kernel, struct.typeId, members);
    const promoted = await promotions(emulator, ops, pointees);
    const writable = await writableFields(emulator, ops, [...new Set([...pointees, ...promoted.map(([, to]) => to)])]);
    const args = await kernel.memory.settle(() => argumentInfo(kernel, vocabulary, struct, members));
    const { name, typeId, valueId } = struct;
    found.push({ name, typeId, valueId, supported, sleepable, arguments: args, promoted, writable });
  }
  return found;
}

/** Indices of the members that are pointers to functions. */
function functionMembers(kernel: Kernel, typeId: number): number[] {
  const { btf } = kernel;
  return Array.from({ length: btf.vlen(typeId) }, (_, i) => i).filter((i) => prototypeOf(kernel, typeId, i) !== 0);
}

function prototypeOf(kernel: Kernel, typeId: number, member: number): number {
  const { btf } = kernel;
  const pointer = btf.skipModifiers(btf.memberType(typeId, member));
  if (btf.kind(pointer) !== kinds.KIND_PTR) return 0;
  const proto = btf.skipModifiers(btf.sizeOrType(pointer));
  return btf.kind(proto) === kinds.KIND_FUNC_PROTO ? proto : 0;
}

/** Members with a stub (where the kernel has stubs) that check_member lets through, asleep or not. */
async function implementable(
  emulator: ProgramEmulator,
  struct: RegisteredStructOps,
  members: readonly number[],
): Promise<{ supported: number[]; sleepable: number[] }> {
  const { kernel } = emulator;
  const { memory, btf } = kernel;
  const hasStubs = kernel.findMember('bpf_struct_ops', 'cfi_stubs') !== null;
  const stubs = hasStubs ? await memory.settle(() => kernel.read(struct.address, 'bpf_struct_ops', 'cfi_stubs')) : 0n;
  const check = await memory.settle(() => kernel.read(struct.address, 'bpf_struct_ops', 'check_member'));
  const type = await memory.settle(() => kernel.typeAddress(struct.typeId));
  const programType = kernel.enumerators('bpf_prog_type').get('BPF_PROG_TYPE_STRUCT_OPS')!;
  const supported: number[] = [];
  const sleepable: number[] = [];
  for (const member of members) {
    const offset = BigInt(btf.memberBitOffset(struct.typeId, member) >> 3);
    if (hasStubs && (await memory.settle(() => memory.u64(stubs + offset))) === 0n) continue;
    for (const sleeps of [false, true]) {
      const kind = { type: programType, attachType: member, sleepable: sleeps, attachBtfId: struct.typeId };
      const args = [type, type + 12n + 12n * BigInt(member), emulator.program];
      const answer = check === 0n ? 0n : await emulator.run(kind, () => undefined, check, args);
      if ((answer & 0xffff_ffffn) === 0n) (sleeps ? sleepable : supported).push(member);
    }
  }
  return { supported, sleepable };
}

/** Structures that the members' functions are handed pointers to. */
function argumentStructures(kernel: Kernel, typeId: number, members: readonly number[]): number[] {
  const { btf } = kernel;
  const found = new Set<number>();
  for (const member of members) {
    const proto = prototypeOf(kernel, typeId, member);
    for (let i = 0; i < btf.vlen(proto); i++) {
      const pointer = btf.skipModifiers(btf.paramType(proto, i));
      if (btf.kind(pointer) !== kinds.KIND_PTR) continue;
      const pointee = btf.skipModifiers(btf.sizeOrType(pointer));
      if (btf.kind(pointee) === kinds.KIND_STRUCT) found.add(pointee);
    }
  }
  return [...found];
}

/** Types that programs see as another (a socket of TCP's as a TCP socket): is_valid_access replaces the BTF id. */
async function promotions(
  emulator: ProgramEmulator,
  ops: Operations,
  pointees: readonly number[],
): Promise<[number, number][]> {
  if (ops.isValidAccess === 0n) return [];
  const { kernel, cpu } = emulator;
  const at = (member: string) => SCRATCH + BigInt(kernel.member('bpf_insn_access_aux', member).offset);
  const trusted = kernel.enumerators('bpf_type_flag').get('PTR_TRUSTED') ?? 0;
  const regType = (kernel.enumerators('bpf_reg_type').get('PTR_TO_BTF_ID') ?? 0) | trusted;
  const kind = { type: ops.type, attachType: 0, sleepable: false, attachBtfId: ops.attachBtfId };
  const found: [number, number][] = [];
  for (const pointee of pointees) {
    emulator.btfContext = () => {
      cpu.store(at('reg_type'), 4, BigInt(regType));
      cpu.store(at('btf_id'), 4, BigInt(pointee));
      return true;
    };
    const zero = () => cpu.clear(SCRATCH, 64);
    const yes = await emulator.run(kind, zero, ops.isValidAccess, [0n, 8n, 1n, emulator.program, SCRATCH]);
    const seen = Number(cpu.load(at('btf_id'), 4));
    if ((yes & 0xffn) !== 0n && seen !== pointee) found.push([pointee, seen]);
  }
  return found;
}

/** Fields that btf_struct_access lets programs write: [structure, offset, size]. */
async function writableFields(
  emulator: ProgramEmulator,
  ops: Operations,
  structures: readonly number[],
): Promise<[number, number, number][]> {
  if (ops.btfStructAccess === 0n) return [];
  const { kernel, cpu } = emulator;
  const names = argumentsByName(kernel, kernel.symbols.name(ops.btfStructAccess) ?? '');
  const btfAt = SCRATCH + BigInt(kernel.member('bpf_reg_state', 'btf').offset);
  const idAt = SCRATCH + BigInt(kernel.member('bpf_reg_state', 'btf_id').offset);
  const vmlinux = kernel.memory.u64(kernel.symbols.address('btf_vmlinux'));
  const kind = { type: ops.type, attachType: 0, sleepable: false, attachBtfId: ops.attachBtfId };
  const write = 2n;
  const found: [number, number, number][] = [];
  for (const structure of structures) {
    for (let offset = 0; offset < kernel.btf.sizeOrType(structure); offset++) {
      for (const size of [1, 2, 4, 8]) {
        const byName: Record<string, bigint> = {
          log: 0n,
          reg: SCRATCH,
          off: BigInt(offset),
          size: BigInt(size),
          atype: write,
        };
        if (names.some((name) => byName[name] === undefined)) return [];
        const registers = () => {
          cpu.store(btfAt, 8, vmlinux);
          cpu.store(idAt, 4, BigInt(structure));
        };
        const answer = await emulator.run(
          kind,
          registers,
          ops.btfStructAccess,
          names.map((name) => byName[name]!),
        );
        if (BigInt.asIntN(32, answer) >= 0n) found.push([structure, offset, size]);
      }
    }
  }
  return found;
}

function argumentInfo(
  kernel: Kernel,
  vocabulary: Vocabulary,
  struct: RegisteredStructOps,
  members: readonly number[],
): [number, number, number, number][] {
  if (struct.argumentInfo === 0n) return [];
  const size = BigInt(kernel.sizeOf('bpf_struct_ops_arg_info'));
  return members.flatMap((member) => {
    const at = struct.argumentInfo + BigInt(member) * size;
    const count = Number(kernel.read(at, 'bpf_struct_ops_arg_info', 'cnt'));
    const info = kernel.read(at, 'bpf_struct_ops_arg_info', 'info');
    return contextArguments(kernel, vocabulary, info, count).map(
      ([offset, regType, btfId]): [number, number, number, number] => [member, offset, regType, btfId],
    );
  });
}
