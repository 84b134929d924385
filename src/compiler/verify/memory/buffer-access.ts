/** Memory whose size is checked when the program is attached or run: tracepoint and iterator buffers; sockets, flow keys. */
import { KIND_STRUCT } from '../../btf/kinds.js';
import { tnumText } from '../domain/tnum.js';
import { regTypeName } from '../log/register.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import { writeNegativeMin } from './region.js';
import { isReadOnlyMem } from '../register-types.js';

function checkOffset(env: Env, name: string, regno: number, off: number, size: number): number {
  const reg = currentRegs(env)[regno]!;
  if (off < 0) {
    env.log.write(`R${regno} invalid ${name} buffer access: off=${off}, size=${size}\n`);
    return -EACCES;
  }
  if ((reg.maskHi | reg.maskLo | reg.valueHi | reg.valueLo) !== 0) {
    env.log.write(`R${regno} invalid variable buffer offset: off=${off}, var_off=${tnumText(reg)}\n`);
    return -EACCES;
  }
  return 0;
}

/** A writable raw tracepoint's buffer. */
export function checkTracepointBuffer(env: Env, regno: number, off: number, size: number): number {
  const err = checkOffset(env, 'tracepoint', regno, off, size);
  if (err === 0) env.maxTpAccess = Math.max(env.maxTpAccess, off + size);
  return err;
}

/** PTR_TO_BUF. The caller has refused writes to read-only ones. */
export function checkBufferAccess(env: Env, regno: number, off: number, size: number): number {
  const readOnly = isReadOnlyMem(currentRegs(env)[regno]!.type);
  const err = checkOffset(env, readOnly ? 'rdonly' : 'rdwr', regno, off, size);
  if (err !== 0) return err;
  if (readOnly) env.maxRdonlyAccess = Math.max(env.maxRdonlyAccess, off + size);
  else env.maxRdwrAccess = Math.max(env.maxRdwrAccess, off + size);
  return 0;
}

export function checkFlowKeys(env: Env, off: number, size: number): number {
  const { btf } = env.profile;
  const bytes = btf.sizeOrType(btf.find('bpf_flow_keys', KIND_STRUCT));
  if (size >= 0 && off >= 0 && off + size <= bytes) return 0;
  env.log.write(`invalid access to flow keys off=${off} size=${size}\n`);
  return -EACCES;
}

/** Fields of sockets, as the profile shows them for each kind of socket pointer; they are read only. */
export function checkSocketAccess(env: Env, insn: number, regno: number, off: number, size: number): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.sminHi < 0) {
    writeNegativeMin(env, regno);
    return -EACCES;
  }
  const layout = env.profile.pointerContext(reg.type);
  const access = layout?.access(off, size, false) ?? null;
  if (access === null) {
    env.log.write(`R${regno} invalid ${regTypeName(reg.type)} access off=${off} size=${size}\n`);
    return -EACCES;
  }
  const facts = env.facts[insn]!;
  facts.context = layout;
  facts.ctxFieldSize = access.fieldSize;
  return 0;
}
