/** Access to the program's context: by the profile's layout, or typed by the BTF of what the program is attached to. */
import { MEMORY } from '../refusals/memory.js';
import { amend, forget } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import { markKnownZero, markUnknown, checkBounds } from '../domain/scalar.js';
import { narrowS, narrowS32, syncBounds } from '../domain/bounds.js';
import { currentRegs, ownReg } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import { writeSourceLine } from '../log/source.js';
import type { Reg } from '../state.js';
import { accessBtfContext } from './btf-context.js';
import { checkPtrOffReg } from './pointer-offset.js';
import { lsmReturnRange } from '../attach/return-range.js';
import type { ReturnRange } from '../attach/return-range.js';
import { isPacketType, typeMaybeNull } from '../register-types.js';

/** What a field of the context is to the program. */
export interface ContextField {
  readonly regType: number;
  readonly btf: Btf | null;
  readonly btfId: number;
  /** The attach point's result, which fexit and LSM programs find behind the arguments. */
  readonly isReturnValue: boolean;
}

/** Checks a load (into `valueRegno`) or store at `off`, the register's fixed offset included. */
export function checkContextAccess(
  env: Env,
  insn: number,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  signExtends: boolean,
): number {
  const regs = currentRegs(env);
  const err = checkPtrOffReg(env, regs[regno]!, regno, false);
  if (err !== 0) return err;
  forget(env); // some refusals of fields have a sentence of their own, in front of the one below
  const field = accessField(env, insn, off, size, write, signExtends);
  if (field === null) {
    amend(env, MEMORY.contextAccess, off, size);
    writeSourceLine(env, insn, '; ');
    return -EACCES;
  }
  if (off + size > env.maxCtxOffset) env.maxCtxOffset = off + size;
  if (write || valueRegno < 0) return 0;
  return loadField(env, ownReg(env, valueRegno), field);
}

/** The field, or null where the access is refused; notes what the rewrites need. */
function accessField(
  env: Env,
  insn: number,
  off: number,
  size: number,
  write: boolean,
  signExtends: boolean,
): ContextField | null {
  if (isBtfTyped(env.progType)) return accessBtfContext(env, off, size, write);
  const layout = env.profile.context(env.progType, env.expectedAttachType, env.program.capabilities);
  const access = layout?.access(off, size, write) ?? null;
  if (access === null) return null;
  if (signExtends && (isPacketType(access.regType) || access.regType === t.PTR_TO_PACKET_END)) return null;
  const facts = env.facts[insn]!;
  facts.context = layout;
  env.contextNotes |= access.notes;
  const isBtfPointer = t.baseType(access.regType) === t.PTR_TO_BTF_ID;
  if (!isBtfPointer) facts.ctxFieldSize = access.fieldSize;
  const btf = isBtfPointer ? env.profile.btf : null;
  return { regType: access.regType, btf, btfId: access.btfId, isReturnValue: false };
}

function isBtfTyped(progType: number): boolean {
  return (
    progType === uapi.BPF_PROG_TYPE_TRACING ||
    progType === uapi.BPF_PROG_TYPE_LSM ||
    progType === uapi.BPF_PROG_TYPE_STRUCT_OPS
  );
}

function loadField(env: Env, value: Reg, field: ContextField): number {
  if (field.regType === t.SCALAR_VALUE) {
    markUnknown(value);
    const range = field.isReturnValue ? lsmReturnRange(env) : null;
    return range === null ? 0 : narrowToRange(env, value, range);
  }
  markKnownZero(value);
  if (typeMaybeNull(field.regType)) value.id = ++env.idGen;
  value.subregDef = 0; // a pointer, whatever width the load has
  if (t.baseType(field.regType) === t.PTR_TO_BTF_ID) {
    value.btf = field.btf;
    value.btfId = field.btfId;
  }
  value.type = field.regType;
  return 0;
}

function narrowToRange(env: Env, value: Reg, [min, max]: ReturnRange): number {
  narrowS32(value, min, max);
  narrowS(value, min >> 31, min, max >> 31, max);
  syncBounds(value);
  return checkBounds(env, value, 's32_range');
}
