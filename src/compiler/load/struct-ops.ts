/** Holds struct_ops values against the kernel's structs, and tells their programs what they implement (libbpf 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { memberIndex, typeSize } from '../btf/layout.js';
import { essentialLength } from '../btf/names.js';
import type { Budget } from '../core/budget.js';
import * as uapi from '../targets/uapi.js';
import { E2BIG, EINVAL, ENOTSUP, ESRCH, refuse } from './failure.js';
import type { ObjectMap, ObjectModel, ObjectProgram, Refusal, StructOps } from './model.js';

/** The kernel wraps each such struct in one of this prefix: what the map's value is. */
const VALUE_PREFIX = 'bpf_struct_ops_';
const POINTER_BYTES = 8;

interface KernelTypes {
  readonly type: number;
  readonly valueType: number;
}

/** Settles every struct_ops map that is to be created. */
export function settleStructOps(model: ObjectModel, kernel: Btf, budget: Budget): Refusal | null {
  for (const map of model.maps) {
    if (map.structOps === null || !map.autocreate) continue;
    const refusal = settleMap(model.btf!, map, map.structOps, kernel, budget);
    if (refusal !== null) return refusal;
  }
  adjustAutoload(model);
  return null;
}

/** Programs that struct_ops maps name load exactly where one of these maps is created. */
function adjustAutoload(model: ObjectModel): void {
  const wanted = new Map<ObjectProgram, boolean>();
  for (const map of model.maps) {
    for (const program of map.structOps?.programs.values() ?? []) {
      wanted.set(program, map.autocreate || wanted.get(program) === true);
    }
  }
  for (const [program, isWanted] of wanted) program.autoload = isWanted;
}

function findKernelTypes(kernel: Btf, typeName: string): KernelTypes | Refusal {
  const name = typeName.slice(0, essentialLength(typeName));
  const notFound = (struct: string): Refusal => {
    const message = `struct_ops init_kern: struct ${struct} is not found in kernel BTF`;
    return refuse('STRUCT_OPS', message, ESRCH, { symbol: struct });
  };
  const valueType = kernel.find(`${VALUE_PREFIX}${name}`, kind.KIND_STRUCT);
  if (valueType === 0) return notFound(`${VALUE_PREFIX}${name}`);
  const type = kernel.find(name, kind.KIND_STRUCT);
  if (type === 0) return notFound(name);
  for (let i = 0; i < kernel.vlen(valueType); i++)
    if (kernel.memberType(valueType, i) === type) return { type, valueType };
  const message = `struct_ops init_kern: struct ${name} data is not found in struct ${VALUE_PREFIX}${name}`;
  return refuse('STRUCT_OPS', message, EINVAL, { symbol: name });
}

function settleMap(btf: Btf, map: ObjectMap, ops: StructOps, kernel: Btf, budget: Budget): Refusal | null {
  const types = findKernelTypes(kernel, btf.typeName(ops.typeId));
  if ('ok' in types) return types;
  map.definition.valueSize = kernel.sizeOrType(types.valueType);
  ops.kernelValueType = types.valueType;
  const count = btf.vlen(ops.typeId);
  if (!budget.spend(count * kernel.vlen(types.type))) {
    return refuse('LIMIT', `struct_ops init_kern ${map.name}: too many members`, E2BIG, { symbol: map.name });
  }
  for (let i = 0; i < count; i++) {
    const refusal = settleMember({ btf, map, ops, kernel, kernelType: types.type }, i);
    if (refusal !== null) return refusal;
  }
  return null;
}

interface Settling {
  readonly btf: Btf;
  readonly map: ObjectMap;
  readonly ops: StructOps;
  readonly kernel: Btf;
  readonly kernelType: number;
}

function settleMember(context: Settling, i: number): Refusal | null {
  const { btf, map, ops, kernel, kernelType } = context;
  const name = btf.memberName(ops.typeId, i);
  const bad = (message: string, errno = ENOTSUP): Refusal =>
    refuse('STRUCT_OPS', `struct_ops init_kern ${map.name}: ${message}`, errno, { symbol: map.name });
  const size = typeSize(btf, btf.memberType(ops.typeId, i));
  if (size < 0) return bad(`failed to resolve the size of member ${name}`, EINVAL);
  const kernelMember = memberIndex(kernel, kernelType, name);
  if (kernelMember < 0) return dropMember(context, i, size, bad(`Cannot find member ${name} in kernel BTF`));
  if (btf.memberBitfieldSize(ops.typeId, i) !== 0 || kernel.memberBitfieldSize(kernelType, kernelMember) !== 0) {
    return bad(`bitfield ${name} is not supported`);
  }
  const type = btf.skipModifiers(btf.memberType(ops.typeId, i));
  const kernelMemberType = kernel.skipModifiers(kernel.memberType(kernelType, kernelMember));
  const kinds = [btf.kind(type), kernel.kind(kernelMemberType)] as const;
  if (kinds[0] !== kinds[1]) return bad(`Unmatched member type ${name} ${kinds[0]} != ${kinds[1]}(kernel)`);
  if (kinds[0] === kind.KIND_PTR) return settlePointer(context, i, kernelMember, kernelMemberType, bad);
  const kernelSize = typeSize(kernel, kernelMemberType);
  return size === kernelSize ? null : bad(`Error in size of member ${name}: ${size} != ${kernelSize}(kernel)`);
}

/** A member the kernel does not have must be zero; its program is not loaded for this map's sake. */
function dropMember({ btf, ops }: Settling, i: number, size: number, refusal: Refusal): Refusal | null {
  const offset = Math.floor(btf.memberBitOffset(ops.typeId, i) / 8);
  const isSet = ops.programs.has(i) || ops.data.subarray(offset, offset + size).some((byte) => byte !== 0);
  return isSet ? refusal : null;
}

function settlePointer(
  { btf, map, ops, kernel, kernelType }: Settling,
  i: number,
  kernelMember: number,
  kernelPointer: number,
  bad: (message: string, errno?: number) => Refusal,
): Refusal | null {
  const name = btf.memberName(ops.typeId, i);
  const program = ops.programs.get(i);
  if (program === undefined) {
    const offset = Math.floor(btf.memberBitOffset(ops.typeId, i) / 8);
    const isNull = ops.data.subarray(offset, offset + POINTER_BYTES).every((byte) => byte === 0);
    return isNull ? null : bad(`member ${name} is not a struct_ops program`);
  }
  if (program.type !== uapi.BPF_PROG_TYPE_STRUCT_OPS) return bad(`member ${name} is not a struct_ops program`);
  const pointee = kernel.skipModifiers(kernel.sizeOrType(kernelPointer));
  if (kernel.kind(pointee) !== kind.KIND_FUNC_PROTO) return bad(`kernel member ${name} is not a func ptr`);
  if (program.attachBtfId === 0) {
    program.attachBtfId = kernelType;
    program.expectedAttachType = kernelMember;
  }
  const reuse = (what: string): Refusal => {
    const where = `struct_ops init_kern ${map.name} func ptr ${name}: invalid reuse of prog ${program.name} in sec ${program.section} with type ${program.type}`;
    return refuse('STRUCT_OPS', `${where}: ${what}`, EINVAL, { symbol: program.name });
  };
  if (program.attachBtfId !== kernelType) {
    return reuse(`attach_btf_id ${program.attachBtfId} != kern_type_id ${kernelType}`);
  }
  if (program.expectedAttachType !== kernelMember) {
    return reuse(`expected_attach_type ${program.expectedAttachType} != kern_member_idx ${kernelMember}`);
  }
  return null;
}
