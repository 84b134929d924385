/** LD_IMM64 of maps, map values and kernel variables, and opcodes that exist (resolve_pseudo_ldimm64, Linux 6.12). */
import { CONSTANTS } from '../refusals/constants.js';
import { CALLS } from '../refusals/calls.js';
import { refuse, refuseAs } from '../refusals/refuse.js';
import { KIND_DATASEC, KIND_FUNC, KIND_STRUCT, KIND_UNION, KIND_VAR } from '../../btf/kinds.js';
import type { Btf } from '../../btf/btf.js';
import { typeSize } from '../../btf/layout.js';
import * as op from '../../isa/opcodes.js';
import { MEM_PERCPU, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_MEM } from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { EBADF, EINVAL, ENOTSUPP, ERANGE } from '../errno.js';
import type { Facts } from '../facts.js';
import { MAX_USED_MAPS, MAX_VAR_OFF } from '../limits.js';
import type { VerifierMap } from '../map.js';
import { checkMapCompatibility } from '../maps.js';

/** Descriptors up to this one are always open, and no maps. */
const STDERR = 2;

/** Whether a variable lies in the per-CPU section of the kernel or module. */
function isPercpu(btf: Btf, id: number): boolean {
  const section = btf.findOwn('.data..percpu', KIND_DATASEC);
  if (section === 0) return false;
  for (let i = 0; i < btf.vlen(section); i++) if (btf.secinfoType(section, i) === id) return true;
  return false;
}

/** A kernel variable or function by its BTF id (check_pseudo_btf_id). */
function resolveKernelSymbol(env: Env, i: number, facts: Facts): number {
  const { symbols, modules } = env.profile;
  const id = env.insns.imm(i);
  const module = env.insns.imm(i + 1);
  const btf = module === 0 ? env.profile.btf : modules[module - 1]?.btf;
  if (btf === undefined) return refuse(env, CONSTANTS.symbolModule);
  if (id < 0 || !btf.has(id)) return refuse(env, CONSTANTS.symbolId, id);
  const kind = btf.kind(id);
  if (kind !== KIND_VAR && kind !== KIND_FUNC) {
    return refuse(env, CONSTANTS.symbolKind, id);
  }
  const name = btf.typeName(id);
  // Names in the BTF of a module that is loaded are taken to be in its symbol table, too.
  if (id < env.profile.btf.typeCount && symbols.address(name) === null) {
    return refuse(env, CONSTANTS.symbolAddress, btf, id);
  }
  facts.btfVarId = id;
  facts.btfVarBtf = btf;
  if (kind === KIND_FUNC) {
    facts.btfVarRegType = PTR_TO_MEM | MEM_RDONLY;
    facts.btfVarMemSize = 0;
    return 0;
  }
  const type = btf.sizeOrType(id);
  const plain = btf.skipModifiers(type);
  if (isPercpu(btf, id)) {
    facts.btfVarRegType = PTR_TO_BTF_ID | MEM_PERCPU;
    facts.btfVarTypeId = type;
    return 0;
  }
  if (btf.kind(plain) === KIND_STRUCT || btf.kind(plain) === KIND_UNION) {
    facts.btfVarRegType = PTR_TO_BTF_ID;
    facts.btfVarTypeId = type;
    return 0;
  }
  const size = typeSize(btf, plain);
  if (size < 0) {
    return refuse(env, CONSTANTS.symbolSize, btf, plain);
  }
  facts.btfVarRegType = PTR_TO_MEM | MEM_RDONLY;
  facts.btfVarMemSize = size;
  return 0;
}

/** Size of an arena in bytes. */
function arenaBytes(env: Env, map: VerifierMap): number {
  return map.spec.maxEntries * env.profile.pageSize;
}

/** Takes `off` into the value area of a map; 0 or an errno. */
function resolveMapValue(env: Env, map: VerifierMap, off: number, facts: Facts): number {
  const { spec } = map;
  const isArena = spec.type === uapi.BPF_MAP_TYPE_ARENA;
  if (off >= MAX_VAR_OFF) return refuse(env, CONSTANTS.mapValueOffset, off);
  if (spec.type !== uapi.BPF_MAP_TYPE_ARRAY && !isArena) {
    return refuseAs(env, EINVAL, CALLS.noDirectValue);
  }
  let errno = 0;
  if (isArena) errno = off > arenaBytes(env, map) ? ERANGE : 0;
  else if (spec.maxEntries !== 1) errno = ENOTSUPP;
  else if (off >= spec.valueSize) errno = EINVAL;
  if (errno !== 0) {
    return refuseAs(env, errno, CONSTANTS.mapValueOutside, spec.valueSize, off);
  }
  facts.immMapOff = off;
  if (isArena) {
    const address = spec.mapExtra + BigInt(off);
    facts.immAddressHi = Number(BigInt.asIntN(32, address >> 32n));
    facts.immAddressLo = Number(BigInt.asIntN(32, address));
  }
  return 0;
}

/** Checks of a map that the program names for the first time. */
function useMap(env: Env, map: VerifierMap): number {
  const { type } = map.spec;
  if (type === uapi.BPF_MAP_TYPE_CGROUP_STORAGE || type === uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE) {
    const others = env.usedMaps.filter((m) => env.maps[m]!.spec.type === type);
    if (others.length > 1) return refuse(env, CONSTANTS.oneCgroupStorage);
  }
  if (type !== uapi.BPF_MAP_TYPE_ARENA) return 0;
  if (env.arenaMap >= 0) return refuse(env, CONSTANTS.oneArena);
  env.arenaMap = map.index;
  if (!env.capable || !env.allowPtrLeaks) {
    return refuse(env, CONSTANTS.arenaPrivilege);
  }
  if (env.profile.behaviour.interpretsPrograms) return refuse(env, CONSTANTS.arenaInterpreted);
  // libbpf maps the arenas of an object into its process, which sets the address; nobody maps a raw program's.
  if (map.spec.mapExtra === 0n && env.program.section === '') {
    return refuse(env, CONSTANTS.arenaAddress);
  }
  return 0;
}

function resolveMap(env: Env, i: number, facts: Facts): number {
  const { insns } = env;
  const src = insns.src(i);
  const isValue = src === op.PSEUDO_MAP_VALUE || src === op.PSEUDO_MAP_IDX_VALUE;
  const isMap = src === op.PSEUDO_MAP_FD || src === op.PSEUDO_MAP_IDX;
  if (!isValue && !(isMap && insns.imm(i + 1) === 0)) return refuse(env, CONSTANTS.constantKind);
  if (src === op.PSEUDO_MAP_IDX || src === op.PSEUDO_MAP_IDX_VALUE) {
    return refuse(env, CONSTANTS.mapIndexWithoutTable);
  }
  const isDescriptor = env.program.descriptors?.has(i) === true;
  const map = isDescriptor ? undefined : env.maps[insns.imm(i)];
  if (map === undefined) {
    // A descriptor of the caller's, who has no more than the standard ones open; an index without a map is descriptor 0, and what
    // is negative is no index.
    const fd = isDescriptor || insns.imm(i) < 0 ? insns.imm(i) : 0;
    return refuseAs(env, fd >= 0 && fd <= STDERR ? EINVAL : EBADF, CONSTANTS.noSuchMap, fd);
  }
  const reused = env.usedMaps.includes(map.index);
  if (!reused) {
    if (env.usedMaps.length >= MAX_USED_MAPS) {
      return refuse(env, CONSTANTS.tooManyMaps, MAX_USED_MAPS);
    }
    env.usedMaps.push(map.index);
  }
  facts.immMapIndex = map.index;
  let err = checkMapCompatibility(env, map);
  if (err === 0 && isValue) err = resolveMapValue(env, map, insns.imm(i + 1) >>> 0, facts);
  return err === 0 && !reused ? useMap(env, map) : err;
}

function resolveImmediate(env: Env, i: number): number {
  const { insns } = env;
  if (
    i === insns.length - 1 ||
    insns.opcode(i + 1) !== 0 ||
    insns.bytes[(i + 1) * 8 + 1] !== 0 ||
    insns.off(i + 1) !== 0
  ) {
    return refuse(env, CONSTANTS.constantFields);
  }
  const src = insns.src(i);
  if (src === 0 || src === op.PSEUDO_FUNC) return 0;
  const facts = env.facts[i]!;
  return src === op.PSEUDO_BTF_ID ? resolveKernelSymbol(env, i, facts) : resolveMap(env, i, facts);
}

function isLoadMode(env: Env, mode: number): boolean {
  return mode === op.MEM || (mode === op.MEMSX && env.profile.behaviour.signExtendingLoads);
}

/** Checks all opcodes and finds what each LD_IMM64 stands for. */
export function resolveImmediates(env: Env): number {
  const { insns } = env;
  for (let i = 0; i < insns.length; i++) {
    env.place = i;
    const opcode = insns.opcode(i);
    if ((opcode & op.CLASS_MASK) === op.LDX && (!isLoadMode(env, opcode & op.MODE_MASK) || insns.imm(i) !== 0)) {
      return refuse(env, CONSTANTS.loadReservedFields);
    }
    if (opcode === op.LD_IMM64) {
      const err = resolveImmediate(env, i);
      if (err !== 0) return err;
      i++;
    } else if (!env.profile.opcodes.has(opcode)) {
      return refuse(env, CONSTANTS.unknownOpcode, opcode);
    }
  }
  return 0;
}
