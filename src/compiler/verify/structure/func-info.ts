/** Function information (struct bpf_func_info) held against BTF, and later against the subprograms found. */
import { KIND_FUNC, KIND_FUNC_PROTO, KIND_INT } from '../../btf/kinds.js';
import { isEnum } from '../../btf/layout.js';
import type { Btf } from '../../btf/btf.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';

/** A program without function information may not use what needs a known prototype in its subprograms. */
function checkWithoutInfo(env: Env): number {
  for (const subprogram of env.subprograms.slice(1)) {
    if (subprogram.hasLdAbs) {
      env.log.write('LD_ABS is not allowed in subprogs without BTF\n');
      return -EINVAL;
    }
    if (subprogram.hasTailCall) {
      env.log.write('tail_call is not allowed in subprogs without BTF\n');
      return -EINVAL;
    }
  }
  return 0;
}

/** First look, before subprograms are known: offsets rise from 0, and every type is a function. */
export function checkFuncInfoEarly(env: Env): number {
  const { funcInfo } = env.program;
  if (funcInfo.length === 0) return checkWithoutInfo(env);
  const btf = env.btf;
  if (btf === null) return -EINVAL;
  let previous = 0;
  for (const [i, record] of funcInfo.entries()) {
    if (i === 0 && record.instruction !== 0) {
      env.log.write(`nonzero insn_off ${record.instruction} for the first func info record`);
      return -EINVAL;
    }
    if (i > 0 && record.instruction <= previous) {
      const offsets = `(${record.instruction}) than previous func info record (${previous})`;
      env.log.write(`same or smaller insn offset ${offsets}`);
      return -EINVAL;
    }
    if (!btf.has(record.typeId) || btf.kind(record.typeId) !== KIND_FUNC) {
      env.log.write(`invalid type id ${record.typeId} in func info`);
      return -EINVAL;
    }
    if (btf.kind(btf.sizeOrType(record.typeId)) !== KIND_FUNC_PROTO) return -EINVAL;
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
    env.log.write("number of funcs in func_info doesn't match number of subprogs\n");
    return -EINVAL;
  }
  const btf = env.btf!; // the early check saw it
  for (const [i, record] of funcInfo.entries()) {
    const subprogram = env.subprograms[i]!;
    if (subprogram.start !== record.instruction) {
      env.log.write("func_info BTF section doesn't match subprog layout in BPF program\n");
      return -EINVAL;
    }
    subprogram.typeId = record.typeId;
    subprogram.linkage = btf.linkage(record.typeId);
    if (i === 0 || returnsScalar(btf, record.typeId)) continue;
    if (subprogram.hasLdAbs) {
      env.log.write("LD_ABS is only allowed in functions that return 'int'.\n");
      return -EINVAL;
    }
    if (subprogram.hasTailCall) {
      env.log.write("tail_call is only allowed in functions that return 'int'.\n");
      return -EINVAL;
    }
  }
  env.hasFuncInfo = true;
  return 0;
}
