/** Direct access to packet data. */
import { MEMORY } from '../refusals/memory.js';
import { amend, refuse, refuseAs } from '../refusals/refuse.js';
import { PACKET_READ, PACKET_READ_NOTED, PACKET_WRITE, PACKET_WRITE_NOTED } from '../../targets/data.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EINVAL } from '../errno.js';
import type { CallMeta } from '../calls/call-meta.js';
import { checkFixedAccess } from './region.js';

/** `size` bytes at a packet pointer's fixed offset: they must lie in the range that comparisons have shown. */
export function checkPacketAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroSizeAllowed: boolean,
): number {
  const reg = currentRegs(env)[regno]!;
  if (reg.sminHi < 0) {
    return refuse(env, MEMORY.offsetNegative, regno);
  }
  if (reg.range < 0) return refuseAs(env, EINVAL, MEMORY.outsidePacket, regno);
  const err = checkFixedAccess(env, regno, off, size, reg.range, zeroSizeAllowed);
  if (err !== 0) {
    amend(env, MEMORY.outsidePacket, regno);
    return err;
  }
  const last = (off + reg.umaxLo + size - 1) >>> 0;
  if (last > env.maxPktOffset) env.maxPktOffset = last;
  return 0;
}

/**
 * Whether the program may read, or write, packet data: itself (`call` null), or through a helper that says whether
 * it takes packet pointers.
 */
export function mayAccessPacketData(env: Env, call: CallMeta | null, write: boolean): boolean {
  const access = env.profile.packetAccess(env.progType);
  const mask = call === null ? access.direct : call.packetAccess ? access.helper : access.otherHelper;
  if ((mask & (write ? PACKET_WRITE_NOTED : PACKET_READ_NOTED)) !== 0) env.seenDirectWrite = true;
  return (mask & (write ? PACKET_WRITE : PACKET_READ)) !== 0;
}
