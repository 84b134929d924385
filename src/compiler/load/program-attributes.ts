/** What BPF_PROG_LOAD refuses before it verifies anything (bpf_prog_load, kernel/bpf/syscall.c, 6.12). */
import { CAP_BPF, isCapable } from '../targets/capabilities.js';
import * as uapi from '../targets/uapi.js';
import { MAX_INSNS } from '../isa/opcodes.js';
import type { LoaderProfile } from './loader-profile.js';
import { neededCapabilities } from './needed-capabilities.js';
import type { Program } from './program.js';

const EPERM = -1;
const E2BIG = -7;
const EINVAL = -22;

export const BPF_F_STRICT_ALIGNMENT = 1 << 0;
export const BPF_F_ANY_ALIGNMENT = 1 << 1;
export const BPF_F_TEST_RND_HI32 = 1 << 2;
export const BPF_F_TEST_STATE_FREQ = 1 << 3;
export const BPF_F_SLEEPABLE = 1 << 4;
export const BPF_F_XDP_HAS_FRAGS = 1 << 5;
export const BPF_F_XDP_DEV_BOUND_ONLY = 1 << 6;
export const BPF_F_TEST_REG_INVARIANTS = 1 << 7;

const KNOWN_FLAGS = 0xff;
/** Largest type id that a BTF can hold. */
const BTF_MAX_TYPE = 0xfffff;

/** The attach type that an unset one means to the kernel. */
export function effectiveAttachType(type: number, attachType: number): number {
  if (attachType !== 0) return attachType;
  if (type === uapi.BPF_PROG_TYPE_CGROUP_SOCK) return uapi.BPF_CGROUP_INET_SOCK_CREATE;
  return type === uapi.BPF_PROG_TYPE_SK_REUSEPORT ? uapi.BPF_SK_REUSEPORT_SELECT : attachType;
}

const BTF_ATTACHED: readonly number[] = [
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
  uapi.BPF_PROG_TYPE_EXT,
];

/** Whether the program may name a type of a BTF, and another program, to be attached to. */
function mayBeAttached({ type, attachBtfId, attachProgram }: Program): boolean {
  if (attachBtfId !== 0 && (attachBtfId > BTF_MAX_TYPE || !BTF_ATTACHED.includes(type))) return false;
  return attachProgram === null || type === uapi.BPF_PROG_TYPE_TRACING || type === uapi.BPF_PROG_TYPE_EXT;
}

/** Most instructions of a program loaded without CAP_BPF (BPF_MAXINSNS). */
const MAX_UNPRIVILEGED_INSNS = 4096;

/** 0, or the negative errno with which the kernel refuses the attributes. */
export function checkProgramAttributes(program: Program, profile: LoaderProfile): number {
  const { type, flags, instructions, capabilities } = program;
  if ((flags & ~KNOWN_FLAGS) !== 0) return EINVAL;
  const maxInsns = isCapable(capabilities, CAP_BPF) ? MAX_INSNS : MAX_UNPRIVILEGED_INSNS;
  if (instructions.length === 0 || instructions.length > maxInsns) return E2BIG;
  if (!isCapable(capabilities, neededCapabilities(type))) return EPERM;
  if (!mayBeAttached(program)) return EINVAL;
  if (!profile.takesAttachType(type, effectiveAttachType(type, program.expectedAttachType))) return EINVAL;
  return isObjectName(program.name) ? 0 : EINVAL;
}

/** Whether the kernel takes a name of a program or map: letters, digits, underscores and dots. */
export function isObjectName(name: string): boolean {
  return name.length < 16 && /^[A-Za-z0-9_.]*$/.test(name);
}
