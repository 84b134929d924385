/**
 * What libbpf finds the kernel to have (tools/lib/bpf/features.c, 1.5). It tries things out, and a process that is not
 * capable of them finds them missing: it then loads as for an old kernel.
 */
import type { Btf } from '../btf/btf.js';
import { KIND_DECL_TAG } from '../btf/kinds.js';
import type { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import * as helper from '../targets/helper-ids.js';
import { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, isCapable } from '../targets/capabilities.js';

/** Helpers for kernel and user memory, and what stood for both before Linux 5.5. */
const PROBE_READS: ReadonlyMap<number, number> = new Map([
  [helper.PROBE_READ_USER, helper.PROBE_READ],
  [helper.PROBE_READ_KERNEL, helper.PROBE_READ],
  [helper.PROBE_READ_USER_STR, helper.PROBE_READ_STR],
  [helper.PROBE_READ_KERNEL_STR, helper.PROBE_READ_STR],
]);

/** Expected attach types: a cgroup socket program is tried. */
export function knowsAttachTypes(capabilities: number): boolean {
  return isCapable(capabilities, CAP_BPF | CAP_NET_ADMIN);
}

/** Cookies of attachments, the newer probe reads, and contexts by tag: a tracing program is tried. */
function triesTracing(capabilities: number): boolean {
  return isCapable(capabilities, CAP_BPF | CAP_PERFMON);
}

export function hasAttachCookies(capabilities: number): boolean {
  return triesTracing(capabilities);
}

/** The instructions, with the older helpers where the kernel seems not to have the newer. */
export function withProbeReads(instructions: Instructions, capabilities: number): Instructions {
  if (triesTracing(capabilities)) return instructions;
  const out = instructions.clone();
  for (let i = 0; i < out.length; i++) {
    const isCall = out.opcode(i) === (op.JMP | op.CALL) && out.src(i) === 0 && out.dst(i) === 0;
    const older = isCall ? PROBE_READS.get(out.imm(i)) : undefined;
    if (older !== undefined) out.setImm(i, older);
  }
  return out;
}

/**
 * Where the kernel seems not to know contexts by tag, libbpf rewrites the types of functions with such arguments, which
 * is not done here.
 */
export function needsContextTypes(btf: Btf | null, capabilities: number): boolean {
  if (btf === null || triesTracing(capabilities) || !isCapable(capabilities, CAP_BPF)) return false;
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kind(id) === KIND_DECL_TAG && btf.typeName(id) === 'arg:ctx') return true;
  }
  return false;
}
