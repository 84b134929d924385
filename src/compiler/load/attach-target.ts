/** What a program is attached to: the function, tracepoint or hook of the kernel's BTF that its section names. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { ok, type Outcome } from '../outcome.js';
import * as uapi from '../targets/uapi.js';
import { EINVAL, ESRCH, refuse } from './failure.js';
import type { ObjectProgram, Refusal } from './model.js';

const ENAMETOOLONG = -36;
/** Longest name libbpf looks for, prefix included (BTF_MAX_NAME_SIZE). */
const MAX_NAME = 128;

/** How the kernel names what programs of an attach type are attached to. */
function nameOf(attachType: number): { readonly prefix: string; readonly kind: number } {
  switch (attachType) {
    case uapi.BPF_TRACE_RAW_TP:
      return { prefix: 'btf_trace_', kind: kind.KIND_TYPEDEF };
    case uapi.BPF_LSM_MAC:
    case uapi.BPF_LSM_CGROUP:
      return { prefix: 'bpf_lsm_', kind: kind.KIND_FUNC };
    case uapi.BPF_TRACE_ITER:
      return { prefix: 'bpf_iter_', kind: kind.KIND_FUNC };
    default:
      return { prefix: '', kind: kind.KIND_FUNC };
  }
}

/** Id in the kernel's BTF of a target by its name (`function`, or `module:function`), or a negative errno. */
export function findAttachTarget(kernel: Btf, name: string, attachType: number): number {
  const colon = name.indexOf(':');
  const module = colon < 0 ? null : name.slice(0, colon);
  if (module !== null && !'vmlinux'.startsWith(module)) return ESRCH;
  const { prefix, kind: wanted } = nameOf(attachType);
  const full = prefix + name.slice(colon + 1);
  if (full.length >= MAX_NAME) return ENAMETOOLONG;
  return kernel.find(full, wanted) || ESRCH;
}

/** The id an object's program is attached by: 0 where it needs none, or libbpf's refusal. */
export function attachTargetOf(program: ObjectProgram, kernel: Btf): Outcome<number> {
  const { name, section } = program;
  if (program.definition?.attachesToBtf !== true || program.attachBtfId !== 0) return ok(program.attachBtfId);
  const bad = (message: string, errno: number): Refusal =>
    refuse('ATTACH_TARGET', `prog '${name}': ${message}`, errno, { section, symbol: name });
  const slash = section.indexOf('/');
  if (slash < 0) {
    return bad('no BTF-based attach target is specified, use bpf_program__set_attach_target()', EINVAL);
  }
  // A program that replaces or traces another's needs that program, which only its user can name.
  if (program.type === uapi.BPF_PROG_TYPE_EXT) return bad('attach program FD is not set', EINVAL);
  const target = section.slice(slash + 1);
  const id = findAttachTarget(kernel, target, program.expectedAttachType);
  if (id < 0) return bad(`failed to find kernel BTF type ID of '${target}': ${id}`, id);
  return ok(id);
}
