/** Which helpers take which maps (check_map_func_compatibility): as the target's kernel answers it. */
import * as helper from '../../targets/helper-ids.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';
import type { VerifierMap } from '../map.js';
import { helperLabel } from './helper-name.js';

/** Socket maps may be changed only by programs that never run with a socket locked. */
function changesSocketMap(mapType: number, helperId: number): boolean {
  const isSocketMap = mapType === uapi.BPF_MAP_TYPE_SOCKMAP || mapType === uapi.BPF_MAP_TYPE_SOCKHASH;
  return isSocketMap && (helperId === helper.MAP_UPDATE_ELEM || helperId === helper.MAP_DELETE_ELEM);
}

function mayUpdateSocketMap(env: Env, helperId: number): boolean {
  if (env.profile.updatesSocketMaps(env.progType, env.expectedAttachType, helperId)) return true;
  env.log.write('cannot update sockmap in this context\n');
  return false;
}

/** Tail calls leave the frames of their callers to the JIT, where the program has any. */
function checkTailCall(env: Env): number {
  const { interpretsPrograms, tailCallsFromFunctions } = env.profile.behaviour;
  if (env.subprograms.length === 1 || (!interpretsPrograms && tailCallsFromFunctions)) return 0;
  env.log.write('tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls\n');
  return -EINVAL;
}

/** 0, or -EINVAL where the helper does not work on maps of that type. */
export function checkMapHelper(env: Env, map: VerifierMap | null, helperId: number): number {
  if (map === null) return 0;
  const { type } = map.spec;
  const isTaken = changesSocketMap(type, helperId)
    ? mayUpdateSocketMap(env, helperId)
    : env.profile.helperTakesMap(helperId, type);
  if (isTaken) return helperId === helper.TAIL_CALL ? checkTailCall(env) : 0;
  env.log.write(`cannot pass map_type ${type} into func ${helperLabel(env, helperId)}\n`);
  return -EINVAL;
}
