/** Which helpers take which maps (check_map_func_compatibility): as the target's kernel answers it. */
import { MAPS } from '../refusals/maps.js';
import { amend, refuse } from '../refusals/refuse.js';
import * as helper from '../../targets/helper-ids.js';
import * as uapi from '../../targets/uapi.js';
import type { Env } from '../env.js';
import type { VerifierMap } from '../map.js';

/** Socket maps may be changed only by programs that never run with a socket locked. */
function changesSocketMap(mapType: number, helperId: number): boolean {
  const isSocketMap = mapType === uapi.BPF_MAP_TYPE_SOCKMAP || mapType === uapi.BPF_MAP_TYPE_SOCKHASH;
  return isSocketMap && (helperId === helper.MAP_UPDATE_ELEM || helperId === helper.MAP_DELETE_ELEM);
}

/** Tail calls leave the frames of their callers to the JIT, where the program has any. */
function checkTailCall(env: Env): number {
  const { interpretsPrograms, tailCallsFromFunctions } = env.profile.behaviour;
  if (env.subprograms.length === 1 || (!interpretsPrograms && tailCallsFromFunctions)) return 0;
  return refuse(env, MAPS.tailCallInterpreted);
}

/** 0, or -EINVAL where the helper does not work on maps of that type. */
export function checkMapHelper(env: Env, map: VerifierMap | null, helperId: number): number {
  if (map === null) return 0;
  const { type } = map.spec;
  if (changesSocketMap(type, helperId)) {
    if (env.profile.updatesSocketMaps(env.progType, env.expectedAttachType, helperId)) return 0;
    const errno = refuse(env, MAPS.socketMapUpdate);
    amend(env, MAPS.mapNotForHelper, type, env.profile, helperId);
    return errno;
  }
  if (env.profile.helperTakesMap(helperId, type)) return helperId === helper.TAIL_CALL ? checkTailCall(env) : 0;
  return refuse(env, MAPS.mapNotForHelper, type, env.profile, helperId);
}
