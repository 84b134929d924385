/** Whether a program may be attached to a function of another BPF program (bpf_check_attach_target, Linux 6.12). */
import { ATTACH } from '../refusals/attach.js';
import { refuse } from '../refusals/refuse.js';
import type { TargetFunction, TargetProgram } from '../../load/program.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';

function checkExtension(env: Env, target: TargetFunction): number {
  if (target.unreliable) return refuse(env, ATTACH.replacesStatic);
  if (env.profile.behaviour.interpretsPrograms) return refuse(env, ATTACH.extensionInterpreted);
  if (env.subprograms[0]!.changesPktData && !target.changesPacketData) {
    return refuse(env, ATTACH.extensionChangesPacket);
  }
  return 0;
}

/** Chains end: nothing extends an extension or what traces, and tracing of tracing stops after one level. */
function checkChain(env: Env, target: TargetProgram): number {
  const { type } = env.program;
  if (type === uapi.BPF_PROG_TYPE_TRACING) {
    return target.tracesTracing ? refuse(env, ATTACH.tracingNestedTwice) : 0;
  }
  if (target.type === type) return refuse(env, ATTACH.attachesToOwnKind);
  const traces =
    target.expectedAttachType === uapi.BPF_TRACE_FENTRY || target.expectedAttachType === uapi.BPF_TRACE_FEXIT;
  if (type === uapi.BPF_PROG_TYPE_EXT && target.type === uapi.BPF_PROG_TYPE_TRACING && traces) {
    return refuse(env, ATTACH.extendsTracing);
  }
  return 0;
}

/**
 * Checks the target that `attachBtfId` names in the program's BTF. Answers a negative errno, or whether the function's
 * prototype is not to be trusted.
 */
export function checkTargetProgram(env: Env, target: TargetProgram, name: string): number | boolean {
  const isExtension = env.program.type === uapi.BPF_PROG_TYPE_EXT;
  const fn = target.functions.find(({ typeId }) => typeId === env.program.attachBtfId);
  if (fn === undefined) return refuse(env, ATTACH.noSuchTargetFunction, name);
  if (fn.isExceptionCallback) {
    return refuse(env, ATTACH.attachesToExceptionCallback, isExtension);
  }
  const errno = (isExtension ? checkExtension(env, fn) : 0) || checkChain(env, target);
  return errno === 0 ? fn.unreliable : errno;
}
