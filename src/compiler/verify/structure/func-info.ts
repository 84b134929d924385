/** Function information (struct bpf_func_info) held against BTF, and later against the subprograms found. */
import { TYPE_INFO } from '../refusals/type-info.js';
import { refuse } from '../refusals/refuse.js';
import { KIND_FUNC, KIND_FUNC_PROTO, KIND_INT } from '../../btf/kinds.js';
import { isEnum } from '../../btf/layout.js';
import type { Btf } from '../../btf/btf.js';
import type { Env } from '../env.js';

/** A program without function information may not use what needs a known prototype in its subprograms. */
function checkWithoutInfo(env: Env): number {
  for (const subprogram of env.subprograms.slice(1)) {
    if (subprogram.hasLdAbs) {
      return refuse(env, TYPE_INFO.packetLoadWithoutBtf);
    }
    if (subprogram.hasTailCall) {
      return refuse(env, TYPE_INFO.tailCallWithoutBtf);
    }
  }
  return 0;
}

/** First look, before subprograms are known: offsets rise from 0, and every type is a function. */
export function checkFuncInfoEarly(env: Env): number {
  const { funcInfo } = env.program;
  if (funcInfo.length === 0) return checkWithoutInfo(env);
  const btf = env.btf;
  if (btf === null) return refuse(env, TYPE_INFO.functionInfoWithoutBtf);
  let previous = 0;
  for (const [i, record] of funcInfo.entries()) {
    if (i === 0 && record.instruction !== 0) {
      return refuse(env, TYPE_INFO.functionInfoFirst, record.instruction);
    }
    if (i > 0 && record.instruction <= previous) {
      return refuse(env, TYPE_INFO.functionInfoOrder, record.instruction, previous);
    }
    if (!btf.has(record.typeId) || btf.kind(record.typeId) !== KIND_FUNC) {
      return refuse(env, TYPE_INFO.functionInfoType, record.typeId);
    }
    if (btf.kind(btf.sizeOrType(record.typeId)) !== KIND_FUNC_PROTO) {
      return refuse(env, TYPE_INFO.functionInfoPrototype);
    }
    previous = record.instruction;
  }
  return 0;
}

/** An int of at most 8 bytes, or an enumeration. */
function returnsScalar(btf: Btf, functionId: number): boolean {
  const type = btf.skipModifiers(btf.sizeOrType(btf.sizeOrType(functionId)));
  return (btf.kind(type) === KIND_INT && btf.sizeOrType(type) <= 8) || isEnum(btf, type);
}

/** Second look: one record for each subprogram. Fills in type and linkage of each. */
export function checkFuncInfo(env: Env): number {
  const { funcInfo } = env.program;
  if (funcInfo.length === 0) return checkWithoutInfo(env);
  if (funcInfo.length !== env.subprograms.length) {
    return refuse(env, TYPE_INFO.functionInfoCount);
  }
  const btf = env.btf!; // the early check saw it
  for (const [i, record] of funcInfo.entries()) {
    const subprogram = env.subprograms[i]!;
    if (subprogram.start !== record.instruction) {
      return refuse(env, TYPE_INFO.functionInfoPlace);
    }
    subprogram.typeId = record.typeId;
    subprogram.linkage = btf.linkage(record.typeId);
    if (i === 0 || returnsScalar(btf, record.typeId)) continue;
    if (subprogram.hasLdAbs) {
      return refuse(env, TYPE_INFO.packetLoadResult);
    }
    if (subprogram.hasTailCall) {
      return refuse(env, TYPE_INFO.tailCallResult);
    }
  }
  env.hasFuncInfo = true;
  return 0;
}
