/** Helpers that their own prototype allows on some attach points only (struct bpf_func_proto's `allowed`, Linux 6.12). */
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import * as helper from '../../targets/helper-ids.js';

function isSleepableLsmHook(env: Env): boolean {
  return env.profile.btfIdSet('sleepable_lsm_hooks').has(env.attachBtfId);
}

/** A path may be looked at where its locks cannot be held: iterators, sleepable LSM hooks, a list of functions. */
function allowsPath(env: Env): boolean {
  const { type } = env.program;
  if (type === uapi.BPF_PROG_TYPE_TRACING && env.expectedAttachType === uapi.BPF_TRACE_ITER) return true;
  if (type === uapi.BPF_PROG_TYPE_LSM) return isSleepableLsmHook(env);
  return env.profile.btfIdSet('btf_allowlist_d_path').has(env.attachBtfId);
}

/** Socket storage: not on the functions of socket storage themselves. */
function allowsSocketStorage(env: Env): boolean {
  const { program } = env;
  if (env.progType !== uapi.BPF_PROG_TYPE_TRACING) return true;
  if (program.attachProgram !== null) return false;
  switch (env.expectedAttachType) {
    case uapi.BPF_TRACE_ITER:
    case uapi.BPF_TRACE_RAW_TP:
      return true;
    case uapi.BPF_TRACE_FENTRY:
    case uapi.BPF_TRACE_FEXIT:
      return !env.profile.btf.typeName(env.attachBtfId).startsWith('bpf_sk_storage');
    default:
      return false;
  }
}

/** Whether a helper that this type of program may call may be called where the program is attached. */
export function isAllowedAtAttachPoint(env: Env, id: number): boolean {
  switch (id) {
    case helper.D_PATH:
      return allowsPath(env);
    case helper.SK_STORAGE_GET:
    case helper.SK_STORAGE_DELETE:
      return allowsSocketStorage(env);
    case helper.IMA_INODE_HASH:
    case helper.IMA_FILE_HASH:
      return isSleepableLsmHook(env);
    default:
      return true;
  }
}
