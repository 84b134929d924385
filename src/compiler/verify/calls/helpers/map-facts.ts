/** What the rewrites must know of a call on a map: which map, and which constant key (record_func_map, record_func_key). */
import { CALLS } from '../../refusals/calls.js';
import { refuse } from '../../refusals/refuse.js';
import * as uapi from '../../../targets/uapi.js';
import { isScalarConst } from '../../domain/scalar.js';
import { ltU } from '../../domain/u64.js';
import { currentRegs } from '../../env.js';
import type { Env } from '../../env.js';
import { markChainPrecision } from '../../prune/precision.js';
import type { CallMeta } from '../call-meta.js';
import * as helper from '../../../targets/helper-ids.js';

const BPF_F_RDONLY_PROG = 1 << 7;

/** Helpers whose call is replaced by the map's own operation. */
const RECORDED: ReadonlySet<number> = new Set([
  helper.TAIL_CALL,
  helper.MAP_LOOKUP_ELEM,
  helper.MAP_UPDATE_ELEM,
  helper.MAP_DELETE_ELEM,
  helper.MAP_PUSH_ELEM,
  helper.MAP_POP_ELEM,
  helper.MAP_PEEK_ELEM,
  helper.FOR_EACH_MAP_ELEM,
  helper.REDIRECT_MAP,
  helper.MAP_LOOKUP_PERCPU_ELEM,
]);
const CHANGING: ReadonlySet<number> = new Set([
  helper.MAP_DELETE_ELEM,
  helper.MAP_UPDATE_ELEM,
  helper.MAP_PUSH_ELEM,
  helper.MAP_POP_ELEM,
]);

const NONE = -1;
const SEVERAL = -2;

export function recordMap(env: Env, meta: CallMeta, insnIdx: number): number {
  if (!RECORDED.has(meta.helperId)) return 0;
  const { map } = meta;
  if (map === null) {
    return refuse(env, CALLS.helperWithoutMap);
  }
  if ((map.spec.flags & BPF_F_RDONLY_PROG) !== 0 && CHANGING.has(meta.helperId)) {
    return refuse(env, CALLS.writeIntoReadOnlyMap);
  }
  const facts = env.facts[insnIdx]!;
  if (facts.map === null) facts.mapIndex = map.index;
  else if (facts.map !== map) facts.mapIndex = SEVERAL;
  facts.map = map;
  return 0;
}

export function recordKey(env: Env, meta: CallMeta, insnIdx: number): number {
  if (meta.helperId !== helper.TAIL_CALL) return 0;
  const { map } = meta;
  if (map?.spec.type !== uapi.BPF_MAP_TYPE_PROG_ARRAY) {
    return refuse(env, CALLS.helperWithoutMap);
  }
  const facts = env.facts[insnIdx]!;
  const key = currentRegs(env)[3]!;
  if (!isScalarConst(key, false) || !ltU(key.valueHi, key.valueLo, 0, map.spec.maxEntries)) {
    facts.mapKey = SEVERAL;
    return 0;
  }
  const err = markChainPrecision(env, 3);
  if (err !== 0) return err;
  const value = key.valueLo >>> 0;
  if (facts.mapKey === NONE) facts.mapKey = value;
  else if (facts.mapKey !== value) facts.mapKey = SEVERAL;
  return 0;
}
