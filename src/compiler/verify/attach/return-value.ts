/** What a program may return, by its type and attach type. */
import { ATTACH } from '../refusals/attach.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as uapi from '../../targets/uapi.js';
import { SCALAR_VALUE } from '../../targets/types.js';
import { currentRegs, type Env } from '../env.js';
import { markChainPrecision } from '../prune/precision.js';
import type { ReadonlyReg } from '../state.js';
import { leaksPointer } from '../memory/pointer-leak.js';
import { checkRegArg } from '../registers.js';
import {
  attachReturnsVoid,
  refuseResult,
  lsmReturnRange,
  withinReturnRange,
  type ReturnRange,
} from './return-range.js';

interface Requirement {
  readonly range: ReturnRange;
  /** Only the low 32 bits count: what LSM hooks return is an int. */
  readonly only32?: boolean;
}

/** No program of that attach type may exit at all. */
const UNSUPPORTED_ATTACH_TYPE = 'unsupported';

const BOOLEAN: Requirement = { range: [0, 1] };

/** Attach types of socket-address programs that cannot refuse, and those that may also ask for a privileged port. */
const ALWAYS_ONE: ReadonlySet<number> = new Set([
  uapi.BPF_CGROUP_UDP4_RECVMSG,
  uapi.BPF_CGROUP_UDP6_RECVMSG,
  uapi.BPF_CGROUP_UNIX_RECVMSG,
  uapi.BPF_CGROUP_INET4_GETPEERNAME,
  uapi.BPF_CGROUP_INET6_GETPEERNAME,
  uapi.BPF_CGROUP_UNIX_GETPEERNAME,
  uapi.BPF_CGROUP_INET4_GETSOCKNAME,
  uapi.BPF_CGROUP_INET6_GETSOCKNAME,
  uapi.BPF_CGROUP_UNIX_GETSOCKNAME,
]);
const BIND: ReadonlySet<number> = new Set([uapi.BPF_CGROUP_INET4_BIND, uapi.BPF_CGROUP_INET6_BIND]);

function tracingRequirement(attachType: number): Requirement | typeof UNSUPPORTED_ATTACH_TYPE | null {
  switch (attachType) {
    case uapi.BPF_TRACE_FENTRY:
    case uapi.BPF_TRACE_FEXIT:
      return { range: [0, 0] };
    case uapi.BPF_TRACE_RAW_TP:
    case uapi.BPF_MODIFY_RETURN:
      return null;
    case uapi.BPF_TRACE_ITER:
      return BOOLEAN;
    default:
      return UNSUPPORTED_ATTACH_TYPE;
  }
}

function lsmRequirement(env: Env): Requirement | null {
  if (env.expectedAttachType !== uapi.BPF_LSM_CGROUP) {
    const range = lsmReturnRange(env);
    return range === null ? null : { range, only32: true };
  }
  return attachReturnsVoid(env) ? { range: [1, 1] } : BOOLEAN;
}

/** What the main program must return: null for anything. */
function requirement(env: Env): Requirement | typeof UNSUPPORTED_ATTACH_TYPE | null {
  const attachType = env.expectedAttachType;
  switch (env.progType) {
    case uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
      if (ALWAYS_ONE.has(attachType)) return { range: [1, 1] };
      return BIND.has(attachType) ? { range: [0, 3] } : BOOLEAN;
    case uapi.BPF_PROG_TYPE_CGROUP_SKB:
      return attachType === uapi.BPF_CGROUP_INET_EGRESS ? { range: [0, 3] } : BOOLEAN;
    case uapi.BPF_PROG_TYPE_CGROUP_SOCK:
    case uapi.BPF_PROG_TYPE_SOCK_OPS:
    case uapi.BPF_PROG_TYPE_CGROUP_DEVICE:
    case uapi.BPF_PROG_TYPE_CGROUP_SYSCTL:
    case uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT:
    case uapi.BPF_PROG_TYPE_SK_LOOKUP:
    case uapi.BPF_PROG_TYPE_NETFILTER:
      return BOOLEAN;
    case uapi.BPF_PROG_TYPE_RAW_TRACEPOINT:
      return env.attachBtfId === 0 ? null : { range: [0, 0] };
    case uapi.BPF_PROG_TYPE_TRACING:
      return tracingRequirement(attachType);
    case uapi.BPF_PROG_TYPE_KPROBE:
      return attachType === uapi.BPF_TRACE_KPROBE_SESSION ? BOOLEAN : null;
    case uapi.BPF_PROG_TYPE_LSM:
      return lsmRequirement(env);
    default:
      return null; // free to return what it likes; freplace as the replaced function's caller expects
  }
}

/** Hooks whose function returns void need no R0 at all. */
function returnsNothing(env: Env): boolean {
  const isLsm = env.progType === uapi.BPF_PROG_TYPE_LSM && env.expectedAttachType !== uapi.BPF_LSM_CGROUP;
  return (isLsm || env.progType === uapi.BPF_PROG_TYPE_STRUCT_OPS) && attachReturnsVoid(env);
}

function enforce(env: Env, reg: ReadonlyReg, regno: number, need: Requirement, place: string): number {
  if (reg.type !== SCALAR_VALUE) {
    return refuse(env, ATTACH.resultNotKnown, regno, place, reg.type);
  }
  const err = markChainPrecision(env, regno);
  if (err !== 0) return err;
  if (!withinReturnRange(need.range, reg, need.only32 === true)) {
    const refused = refuseResult(env, regno, reg, need.range, place);
    const isVoidCgroupLsm = env.progType === uapi.BPF_PROG_TYPE_LSM && env.expectedAttachType === uapi.BPF_LSM_CGROUP;
    if (env.state.frames[0]!.subprog === 0 && isVoidCgroupLsm && attachReturnsVoid(env)) {
      amend(env, ATTACH.lsmVoidResult);
    }
    return refused;
  }
  return 0;
}

/** Checks the register that carries the result at an exit of the outermost frame (R0; R1 of bpf_throw). */
export function checkReturnCode(env: Env, regno: number): number {
  const frame = env.state.frames[0]!;
  const isSubprogram = frame.subprog !== 0;
  const isMain = !isSubprogram || frame.inExceptionCallbackFn;
  if (isMain && returnsNothing(env)) return 0;

  const err = checkRegArg(env, regno, 'src');
  if (err !== 0) return err;
  const reg = currentRegs(env)[regno]!;
  if (leaksPointer(env, reg)) {
    return refuse(env, ATTACH.resultLeaksPointer, regno);
  }

  if (frame.inAsyncCallbackFn) return enforce(env, reg, regno, { range: [0, 0] }, 'At async callback return');
  if (!isMain) {
    if (reg.type === SCALAR_VALUE) return 0;
    return refuse(env, ATTACH.subprogramResultNotScalar, regno, reg.type);
  }
  const need = requirement(env);
  if (need === null) return 0;
  if (need === UNSUPPORTED_ATTACH_TYPE) return refuse(env, ATTACH.exitWithAttachType);
  return enforce(env, reg, regno, need, 'At program exit');
}
