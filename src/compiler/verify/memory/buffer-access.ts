/** Memory whose size is checked when the program is attached or run: tracepoint and iterator buffers; sockets, flow keys. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import { KIND_STRUCT } from '../../btf/kinds.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { isReadOnlyMem } from '../register-types.js';

function checkOffset(env: Env, name: string, regno: number, off: number, size: number): number {
  const reg = currentRegs(env)[regno]!;
  if (off < 0) {
    return refuse(env, MEMORY.bufferNegative, regno, name, off, size);
  }
  if ((reg.maskHi | reg.maskLo | reg.valueHi | reg.valueLo) !== 0) {
    return refuse(env, MEMORY.bufferVariable, regno, off, reg);
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
  return refuse(env, MEMORY.flowKeysAccess, off, size);
}

/** Fields of sockets, as the profile shows them for each kind of socket pointer; they are read only. */
export function checkSocketAccess(env: Env, insn: number, regno: number, off: number, size: number): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.sminHi < 0) {
    return refuse(env, MEMORY.offsetNegative, regno);
  }
  const layout = env.profile.pointerContext(reg.type);
  const access = layout?.access(off, size, false) ?? null;
  if (access === null) {
    return refuse(env, MEMORY.socketAccess, regno, reg.type, off, size);
  }
  const facts = env.facts[insn]!;
  facts.context = layout;
  facts.ctxFieldSize = access.fieldSize;
  return 0;
}
