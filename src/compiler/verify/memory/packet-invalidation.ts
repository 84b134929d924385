/** Calls that may move packet data: every pointer into it, and every slice of it, is void afterwards. */
import * as t from '../../targets/types.js';
import type { Env } from '../env.js';
import { changeRegs } from '../slots.js';
import type { ReadonlyReg } from '../state.js';
import { voided } from './pointer-leak.js';

function pointsIntoPacket(reg: ReadonlyReg): boolean {
  const base = t.baseType(reg.type);
  if (base === t.PTR_TO_PACKET || base === t.PTR_TO_PACKET_META || reg.type === t.PTR_TO_PACKET_END) return true;
  return base === t.PTR_TO_MEM && (reg.type & (t.DYNPTR_TYPE_SKB | t.DYNPTR_TYPE_XDP)) !== 0;
}

export function clearAllPacketPointers(env: Env): void {
  changeRegs(env.state, pointsIntoPacket, voided(env));
}
