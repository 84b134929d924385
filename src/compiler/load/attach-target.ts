/** What a program is attached to: the function, tracepoint or hook of the kernel's BTF that its section names. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { ok, type Outcome } from '../outcome.js';
import * as uapi from '../targets/uapi.js';
import { EINVAL, ENOENT, ESRCH, refuse } from './failure.js';
import type { LoaderProfile } from './loader-profile.js';
import type { ObjectProgram, Refusal } from './model.js';
import type { TargetProgram } from './program.js';

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

/** A target in the kernel by its name (`function`, or `module:function`), or a negative errno. */
export function findAttachTarget(
  { btf, modules }: LoaderProfile,
  name: string,
  attachType: number,
): { readonly btf: Btf; readonly id: number } | number {
  const colon = name.indexOf(':');
  const wantedModule = colon < 0 ? null : name.slice(0, colon);
  const { prefix, kind: wanted } = nameOf(attachType);
  const full = prefix + name.slice(colon + 1);
  if (full.length >= MAX_NAME) return ENAMETOOLONG;
  if (wantedModule === null || 'vmlinux'.startsWith(wantedModule)) {
    const id = btf.find(full, wanted);
    if (id !== 0) return { btf, id };
  }
  for (const module of modules) {
    if (wantedModule !== null && !module.btf.name.startsWith(wantedModule)) continue;
    // A function of the kernel itself is found there, too: its BTF is the base of the module's.
    const id = btf.find(full, wanted) || module.btf.findOwn(full, wanted);
    if (id !== 0) return { btf: module.btf, id };
  }
  return ESRCH;
}

/** Where a program is attached: in the kernel's BTF, or that of another program. */
export interface Attachment {
  readonly attachBtfId: number;
  readonly attachBtf: Btf | null;
  readonly attachProgram: TargetProgram | null;
}

/** Id of a function in the BTF of a BPF program, or libbpf's refusal. */
export function findTargetFunction(target: TargetProgram, name: string, symbol: string): Outcome<number> {
  const bad = (message: string): Refusal => refuse('ATTACH_TARGET', message, EINVAL, { symbol });
  if (target.btf === null) return bad("The target program doesn't have BTF");
  const id = target.btf.find(name, kind.KIND_FUNC);
  if (id !== 0) return ok(id);
  return refuse('ATTACH_TARGET', `${name} is not found in prog's BTF`, ENOENT, { symbol });
}

const TRACES_PROGRAMS: readonly number[] = [uapi.BPF_TRACE_FENTRY, uapi.BPF_TRACE_FEXIT, uapi.BPF_MODIFY_RETURN];

/** Extensions, and programs on functions: those that a target program is meant for. */
function attachesToProgram({ type, expectedAttachType }: ObjectProgram): boolean {
  if (type === uapi.BPF_PROG_TYPE_EXT) return true;
  return type === uapi.BPF_PROG_TYPE_TRACING && TRACES_PROGRAMS.includes(expectedAttachType);
}

/** What an object's program is attached to, or libbpf's refusal. `functionName` stands in for its section's, if any. */
export function attachmentOf(
  program: ObjectProgram,
  profile: LoaderProfile,
  target: TargetProgram | null,
  functionName: string,
): Outcome<Attachment> {
  if (target === null || !attachesToProgram(program)) return attachedToKernel(program, profile);
  const { name, section } = program;
  const slash = section.indexOf('/');
  if (functionName === '' && slash < 0) return withoutTarget(name, section);
  const id = findTargetFunction(target, functionName || section.slice(slash + 1), name);
  return id.ok ? ok({ attachBtfId: id.value, attachBtf: target.btf, attachProgram: target }) : id;
}

function withoutTarget(name: string, section: string): Refusal {
  const message = `prog '${name}': no BTF-based attach target is specified, use bpf_program__set_attach_target()`;
  return refuse('ATTACH_TARGET', message, EINVAL, { section, symbol: name });
}

/** What an object's program is attached to in the kernel, if anything, or libbpf's refusal. */
function attachedToKernel(program: ObjectProgram, profile: LoaderProfile): Outcome<Attachment> {
  const { name, section } = program;
  if (program.definition?.attachesToBtf !== true || program.attachBtfId !== 0) {
    return ok(inKernel(program.attachBtfId, profile.btf));
  }
  const bad = (message: string, errno: number): Refusal =>
    refuse('ATTACH_TARGET', `prog '${name}': ${message}`, errno, { section, symbol: name });
  const slash = section.indexOf('/');
  if (slash < 0) return withoutTarget(name, section);
  // A program that replaces or traces another's needs that program, which only its user can name.
  if (program.type === uapi.BPF_PROG_TYPE_EXT) return bad('attach program FD is not set', EINVAL);
  const target = section.slice(slash + 1);
  const found = findAttachTarget(profile, target, program.expectedAttachType);
  if (typeof found === 'number') return bad(`failed to find kernel BTF type ID of '${target}': ${found}`, found);
  return ok(inKernel(found.id, found.btf));
}

/** An attachment to something of the kernel, or with id 0 to nothing. */
export function inKernel(id: number, btf: Btf): Attachment {
  return { attachBtfId: id, attachBtf: id === 0 ? null : btf, attachProgram: null };
}
