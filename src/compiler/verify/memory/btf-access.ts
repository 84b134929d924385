/** Loads and stores through pointers to kernel structures, and how far what is loaded may be trusted. */
import { KERNEL_MEMORY } from '../refusals/kernel-memory.js';
import { refuse } from '../refusals/refuse.js';
import { logName } from '../../btf/print.js';
import * as t from '../../targets/types.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { tnumText } from '../domain/tnum.js';
import { Reg } from '../state.js';
import type { ReadonlyReg } from '../state.js';
import { markBtfLoad } from './btf-load.js';
import { checkBtfWrite } from './btf-write.js';
import { isSafeField, structAccess, Walked } from '../kernel/btf-walk.js';
import {
  inRcuSection,
  isAllocated,
  isAllocatedObject,
  isNonOwningRef,
  isRcuReg,
  isTrustedReg,
  typeMaybeNull,
} from '../register-types.js';

/** Checks an access through a PTR_TO_BTF_ID; `off` includes its fixed offset, `valueRegno` receives what is loaded. */
export function checkBtfAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
): number {
  const regs = currentRegs(env);
  const reg = regs[regno]!;
  const complaint = addressComplaint(env, reg, regno, off);
  if (complaint !== 0) return complaint;
  const walked = new Walked();
  const type = write ? checkWrite(env, reg, off, size, walked) : checkRead(env, reg, off, size, walked);
  if (type < 0) return type;
  if (write || valueRegno < 0) return 0;
  const flags = type === t.PTR_TO_BTF_ID ? loadedFlags(env, reg, walked) : 0;
  markBtfLoad(env, ownReg(env, valueRegno), type, reg.btf!, walked.btfId, flags);
  return 0;
}

/** What is wrong with the pointer itself. */
function addressComplaint(env: Env, reg: ReadonlyReg, regno: number, off: number): number {
  const name = logName(reg.btf!, reg.btfId);
  if (!env.allowPtrLeaks) return onlyWithPerfmon(env, name);
  if (!env.gplCompatible && reg.btf!.isKernel) {
    return refuse(env, KERNEL_MEMORY.kernelAccessLicense, reg.btf!, reg.btfId);
  }
  let what = null;
  if (off < 0) what = `invalid negative access: off=${off}`;
  else if ((reg.maskHi | reg.maskLo | reg.valueHi | reg.valueLo) !== 0)
    what = `invalid variable offset: off=${off}, var_off=${tnumText(reg)}`;
  else if ((reg.type & t.MEM_USER) !== 0) what = `access user memory: off=${off}`;
  else if ((reg.type & t.MEM_PERCPU) !== 0) what = `access percpu memory: off=${off}`;
  if (what === null) return 0;
  return refuse(env, KERNEL_MEMORY.kernelPointerAddress, regno, reg.btf!, reg.btfId, what);
}

function onlyWithPerfmon(env: Env, name: string): number {
  return refuse(env, KERNEL_MEMORY.kernelAccessPrivilege, name);
}

function onlyRead(env: Env): number {
  return refuse(env, KERNEL_MEMORY.kernelReadOnly);
}

/** Objects of the program's own are written to freely, the kernel's where the kind of program may. */
function checkWrite(env: Env, reg: ReadonlyReg, off: number, size: number, walked: Walked): number {
  if ((reg.type & t.PTR_UNTRUSTED) !== 0) return onlyRead(env);
  if (!isAllocated(reg.type)) {
    const result = checkBtfWrite(env, reg, off, size);
    if (result !== null) return result;
  }
  return isAllocatedObject(reg.type) ? checkRead(env, reg, off, size, walked) : onlyRead(env);
}

function checkRead(env: Env, reg: ReadonlyReg, off: number, size: number, walked: Walked): number {
  if (isAllocated(reg.type) && !isNonOwningRef(reg.type) && !isRcuReg(reg) && reg.refObjId === 0) {
    return refuse(env, KERNEL_MEMORY.allocatedReference);
  }
  return structAccess(env, reg, off, size, walked);
}

/**
 * Flags of a pointer that was loaded out of a structure. What a trusted pointer leads to is trusted only where the
 * kernel says so of that field; else RCU may keep it; else it is an old-style pointer, or, where it may be stale, untrusted.
 */
function loadedFlags(env: Env, reg: ReadonlyReg, walked: Walked): number {
  if ((reg.type & t.PTR_UNTRUSTED) !== 0) return t.PTR_UNTRUSTED;
  const { flag } = walked;
  if (!isTrustedReg(reg) && !isRcuReg(reg)) return withoutTrust(flag);
  const safe = (suffix: string): boolean => isSafeField(reg, walked.fieldName, walked.btfId, suffix);
  if (safe('__safe_trusted')) return flag | t.PTR_TRUSTED;
  if (safe('__safe_trusted_or_null')) return flag | t.PTR_TRUSTED | t.PTR_MAYBE_NULL;
  if (!inRcuSection(env) || typeMaybeNull(reg.type)) return t.PTR_UNTRUSTED;
  if (safe('__safe_rcu')) return flag | t.MEM_RCU;
  const orNull = safe('__safe_rcu_or_null');
  if ((flag & t.MEM_RCU) !== 0 || orNull) {
    const trusted = orNull ? flag & ~t.PTR_UNTRUSTED : flag;
    return trusted | t.MEM_RCU | t.PTR_MAYBE_NULL;
  }
  return (flag & (t.MEM_PERCPU | t.MEM_USER)) !== 0 ? flag : withoutTrust(flag);
}

function withoutTrust(flags: number): number {
  return flags & ~(t.MEM_ALLOC | t.PTR_TRUSTED | t.NON_OWN_REF | t.MEM_RCU);
}

/** Reads of the structure behind a map pointer: struct bpf_array and its like. */
export function checkMapPointerAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
): number {
  const regs = currentRegs(env);
  const { type } = regs[regno]!.map!.spec;
  const btf = env.profile.btf;
  const btfId = env.profile.mapOps(type)?.btfId ?? 0;
  if (btfId === 0) {
    return refuse(env, KERNEL_MEMORY.mapPointerType, type);
  }
  const name = logName(btf, btfId);
  if (!env.allowPtrLeaks) return onlyWithPerfmon(env, name);
  if (off < 0) {
    return refuse(env, KERNEL_MEMORY.mapPointerNegative, regno, btf, btfId, off);
  }
  if (write) {
    return refuse(env, KERNEL_MEMORY.mapPointerReadOnly, btf, btfId);
  }
  const struct = new Reg();
  struct.type = t.PTR_TO_BTF_ID;
  struct.btf = btf;
  struct.btfId = btfId;
  const walked = new Walked();
  const loaded = structAccess(env, struct, off, size, walked);
  if (loaded < 0) return loaded;
  if (valueRegno >= 0) markBtfLoad(env, ownReg(env, valueRegno), loaded, btf, walked.btfId, walked.flag);
  return 0;
}
