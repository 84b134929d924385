/** Which register types each kind of argument takes (check_reg_type of Linux 6.12). */
import { CALLS } from '../refusals/calls.js';
import { refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import * as t from '../../targets/types.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import type { ReadonlyReg } from '../state.js';
import { structIdsMatch } from '../kernel/btf-walk.js';
import type { CallMeta } from './call-meta.js';
import { DYNPTR_FLAGS } from '../objects/dynptr-slots.js';
import * as helper from '../../targets/helper-ids.js';
import { kernelTypes } from '../kernel/types.js';
import { kptrMatchesType } from '../objects/kptr-type.js';
import { isAllocated } from '../register-types.js';

const SOCKETS = [t.PTR_TO_SOCK_COMMON, t.PTR_TO_SOCKET, t.PTR_TO_TCP_SOCK, t.PTR_TO_XDP_SOCK];
const MEMORY = [
  t.PTR_TO_STACK,
  t.PTR_TO_PACKET,
  t.PTR_TO_PACKET_META,
  t.PTR_TO_MAP_KEY,
  t.PTR_TO_MAP_VALUE,
  t.PTR_TO_MEM,
  t.PTR_TO_MEM | t.MEM_RINGBUF,
  t.PTR_TO_BUF,
  t.PTR_TO_BTF_ID | t.PTR_TRUSTED,
];
const SCALARS = [t.SCALAR_VALUE];
const VALUES_AND_OBJECTS = [t.PTR_TO_MAP_VALUE, t.PTR_TO_BTF_ID | t.MEM_ALLOC];

/** By base argument type; the order is that of the sentence that lists what was expected. */
const COMPATIBLE: ReadonlyMap<number, readonly number[]> = new Map([
  [t.ARG_PTR_TO_MAP_KEY, MEMORY],
  [t.ARG_PTR_TO_MAP_VALUE, MEMORY],
  [t.ARG_PTR_TO_MEM, MEMORY],
  [t.ARG_CONST_SIZE, SCALARS],
  [t.ARG_CONST_SIZE_OR_ZERO, SCALARS],
  [t.ARG_CONST_ALLOC_SIZE_OR_ZERO, SCALARS],
  [t.ARG_SCALAR, SCALARS],
  [t.ARG_CONST_MAP_PTR, [t.CONST_PTR_TO_MAP]],
  [t.ARG_PTR_TO_CTX, [t.PTR_TO_CTX]],
  [t.ARG_PTR_TO_SOCK_COMMON, SOCKETS],
  [t.ARG_PTR_TO_BTF_ID_SOCK_COMMON, [...SOCKETS, t.PTR_TO_BTF_ID, t.PTR_TO_BTF_ID | t.PTR_TRUSTED]],
  [t.ARG_PTR_TO_SOCKET, [t.PTR_TO_SOCKET]],
  [t.ARG_PTR_TO_BTF_ID, [t.PTR_TO_BTF_ID, t.PTR_TO_BTF_ID | t.PTR_TRUSTED, t.PTR_TO_BTF_ID | t.MEM_RCU]],
  [t.ARG_PTR_TO_SPIN_LOCK, VALUES_AND_OBJECTS],
  [t.ARG_PTR_TO_RINGBUF_MEM, [t.PTR_TO_MEM | t.MEM_RINGBUF]],
  [
    t.ARG_PTR_TO_PERCPU_BTF_ID,
    [
      t.PTR_TO_BTF_ID | t.MEM_PERCPU,
      t.PTR_TO_BTF_ID | t.MEM_PERCPU | t.MEM_RCU,
      t.PTR_TO_BTF_ID | t.MEM_PERCPU | t.PTR_TRUSTED,
    ],
  ],
  [t.ARG_PTR_TO_FUNC, [t.PTR_TO_FUNC]],
  [t.ARG_PTR_TO_STACK, [t.PTR_TO_STACK]],
  [t.ARG_PTR_TO_CONST_STR, [t.PTR_TO_MAP_VALUE]],
  [t.ARG_PTR_TO_TIMER, [t.PTR_TO_MAP_VALUE]],
  [t.ARG_KPTR_XCHG_DEST, VALUES_AND_OBJECTS],
  [t.ARG_PTR_TO_DYNPTR, [t.PTR_TO_STACK, t.CONST_PTR_TO_DYNPTR]],
]);

/** The register's type as it is compared: flags that the argument allows either way are left out. */
function comparedType(reg: ReadonlyReg, regno: number, argType: number, meta: CallMeta): number {
  let { type } = reg;
  if ((argType & t.MEM_RDONLY) !== 0) type &= ~t.MEM_RDONLY;
  if ((argType & t.PTR_MAYBE_NULL) !== 0) type &= ~t.PTR_MAYBE_NULL;
  if (t.baseType(argType) === t.ARG_PTR_TO_MEM) type &= ~DYNPTR_FLAGS;
  // bpf_kptr_xchg takes the program's own objects too.
  if (meta.helperId === helper.KPTR_XCHG && isAllocated(type) && regno === 2) type &= ~(t.MEM_ALLOC | t.MEM_PERCPU);
  return type;
}

/**
 * Checks a register's type against an argument's. `argBtfId` is the kernel type that the argument wants, 0 where the
 * kind of argument says it.
 */
export function checkRegType(env: Env, regno: number, argType: number, argBtfId: number, meta: CallMeta): number {
  const reg = currentRegs(env)[regno]!;
  const base = t.baseType(argType);
  const compatible = COMPATIBLE.get(base);
  if (compatible === undefined) {
    return refuse(env, CALLS.argumentKindUnknown, argType);
  }
  if (!compatible.includes(comparedType(reg, regno, argType, meta))) {
    return refuse(env, CALLS.argumentType, regno, reg.type, compatible);
  }
  if (t.baseType(reg.type) !== t.PTR_TO_BTF_ID) return 0;
  if (compatible === MEMORY) return checkObjectAsMemory(env, reg, regno, argType, meta);
  const wanted =
    argBtfId !== 0 || base !== t.ARG_PTR_TO_BTF_ID_SOCK_COMMON ? argBtfId : kernelTypes(env).struct('sock_common');
  return checkObject(env, reg, regno, argType, wanted, meta);
}

/** A kernel object may be read as memory, never written to. */
function checkObjectAsMemory(env: Env, reg: ReadonlyReg, regno: number, argType: number, meta: CallMeta): number {
  if ((argType & t.MEM_RDONLY) !== 0) return 0;
  return refuse(env, CALLS.writesReadOnlyArgument, regno, env.profile, meta.helperId, reg.type);
}

const PLAIN_OBJECTS: ReadonlySet<number> = new Set(
  [0, t.PTR_TRUSTED, t.PTR_TRUSTED | t.PTR_MAYBE_NULL, t.MEM_RCU, t.PTR_MAYBE_NULL, t.PTR_MAYBE_NULL | t.MEM_RCU].map(
    (flags) => t.PTR_TO_BTF_ID | flags,
  ),
);
const PERCPU_OBJECTS: ReadonlySet<number> = new Set(
  [t.MEM_PERCPU, t.MEM_PERCPU | t.MEM_RCU, t.MEM_PERCPU | t.PTR_TRUSTED].map((flags) => t.PTR_TO_BTF_ID | flags),
);

function checkObject(
  env: Env,
  reg: ReadonlyReg,
  regno: number,
  argType: number,
  wanted: number,
  meta: CallMeta,
): number {
  if (PLAIN_OBJECTS.has(reg.type)) return checkPlainObject(env, reg, regno, argType, wanted, meta);
  if ((reg.type & ~t.MEM_PERCPU) === (t.PTR_TO_BTF_ID | t.MEM_ALLOC)) {
    const takesLocal =
      meta.helperId === helper.SPIN_LOCK || meta.helperId === helper.SPIN_UNLOCK || meta.helperId === helper.KPTR_XCHG;
    if (!takesLocal) {
      return refuse(env, CALLS.allocatedArgumentUnknown);
    }
    const isSource = meta.helperId === helper.KPTR_XCHG && regno === 2;
    return isSource && kptrMatchesType(env, meta.kptrField!, reg, regno) !== 0 ? -EACCES : 0;
  }
  if (PERCPU_OBJECTS.has(reg.type)) return 0;
  return refuse(env, CALLS.objectArgumentUnknown);
}

function checkPlainObject(
  env: Env,
  reg: ReadonlyReg,
  regno: number,
  argType: number,
  wanted: number,
  meta: CallMeta,
): number {
  const isRelease = (argType & t.OBJ_RELEASE) !== 0;
  if (t.mayBeNull(reg.type) && (!t.mayBeNull(argType) || isRelease)) {
    return refuse(env, CALLS.helperArgumentNullable, regno);
  }
  if (meta.helperId === helper.KPTR_XCHG) {
    return kptrMatchesType(env, meta.kptrField!, reg, regno) !== 0 ? -EACCES : 0;
  }
  // Sockets of all kinds are released as their common part.
  const strict = isRelease && meta.helperId !== helper.SK_RELEASE;
  const kernel: Btf = env.profile.btf;
  const { btf } = reg;
  if (btf !== null && structIdsMatch(env, btf, reg.btfId, reg.off, kernel, wanted, strict, !isAllocated(reg.type))) {
    return 0;
  }
  const name = btf?.typeName(reg.btfId) ?? '';
  return refuse(env, CALLS.argumentObjectType, regno, name, kernel, wanted);
}
