/** LD_IMM64: a number, a map or a place in its value, a kernel variable, a callback (check_ld_imm, Linux 6.12). */
import { ARITHMETIC } from '../refusals/arithmetic.js';
import { refuse } from '../refusals/refuse.js';
import { LINKAGE_STATIC } from '../../btf/kinds.js';
import * as op from '../../isa/opcodes.js';
import * as t from '../../targets/types.js';
import { BPF_MAP_TYPE_ARENA } from '../../targets/uapi.js';
import { markKnown, markKnownZero, markUnknown } from '../domain/scalar.js';
import { ownReg } from '../env.js';
import type { Env } from '../env.js';
import type { Reg } from '../state.js';
import { findSubprog } from '../structure/subprograms.js';
import { checkRegArg } from '../registers.js';

function loadCallback(env: Env, i: number, dst: Reg): number {
  const index = findSubprog(env, i + env.insns.imm(i) + 1);
  if (!env.hasFuncInfo) return refuse(env, ARITHMETIC.callbackWithoutInfo);
  if (env.subprograms[index]!.linkage !== LINKAGE_STATIC) return refuse(env, ARITHMETIC.callbackNotStatic);
  if (index === 0) return refuse(env, ARITHMETIC.callbackIsMain);
  dst.type = t.PTR_TO_FUNC;
  dst.subprog = index;
  return 0;
}

function loadKernelSymbol(env: Env, i: number, dst: Reg): number {
  const facts = env.facts[i]!;
  dst.type = facts.btfVarRegType;
  if ((dst.type & t.BASE_MASK) === t.PTR_TO_MEM) dst.memSize = facts.btfVarMemSize;
  else {
    dst.btf = facts.btfVarBtf;
    dst.btfId = facts.btfVarTypeId;
  }
  return 0;
}

function loadMap(env: Env, i: number, dst: Reg): number {
  const facts = env.facts[i]!;
  const map = env.maps[facts.immMapIndex]!;
  dst.map = map;
  const src = env.insns.src(i);
  if (src === op.PSEUDO_MAP_FD || src === op.PSEUDO_MAP_IDX) {
    dst.type = t.CONST_PTR_TO_MAP;
    return 0;
  }
  if (map.spec.type === BPF_MAP_TYPE_ARENA) {
    markUnknown(dst);
    return 0;
  }
  dst.type = t.PTR_TO_MAP_VALUE;
  dst.off = facts.immMapOff;
  return 0;
}

/** Checks the LD_IMM64 at slot `i`, whose second slot the caller steps over. */
export function checkLdImm(env: Env, i: number): number {
  const { insns } = env;
  if ((insns.opcode(i) & op.SIZE_MASK) !== op.DW) return refuse(env, ARITHMETIC.immediateLoadSize);
  if (insns.off(i) !== 0) return refuse(env, ARITHMETIC.immediateLoadFields);
  const err = checkRegArg(env, insns.dst(i), 'dst');
  if (err !== 0) return err;
  const dst = ownReg(env, insns.dst(i));
  const src = insns.src(i);
  if (src === 0) {
    dst.type = t.SCALAR_VALUE;
    markKnown(dst, insns.imm(i + 1), insns.imm(i));
    return 0;
  }
  markKnownZero(dst);
  if (src === op.PSEUDO_BTF_ID) return loadKernelSymbol(env, i, dst);
  return src === op.PSEUDO_FUNC ? loadCallback(env, i, dst) : loadMap(env, i, dst);
}
