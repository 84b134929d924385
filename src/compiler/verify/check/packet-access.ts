/** Direct access to packet data. */
import * as uapi from '../../targets/uapi.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES, EINVAL } from '../errno.js';
import type { CallMeta } from './call-meta.js';
import { checkFixedAccess, writeNegativeMin } from './region.js';

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
    writeNegativeMin(env, regno);
    return -EACCES;
  }
  const err = reg.range < 0 ? -EINVAL : checkFixedAccess(env, regno, off, size, reg.range, zeroSizeAllowed);
  if (err !== 0) {
    env.log.write(`R${regno} offset is outside of the packet\n`);
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
  switch (env.progType) {
    case uapi.BPF_PROG_TYPE_LWT_IN:
    case uapi.BPF_PROG_TYPE_LWT_OUT:
    case uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL:
    case uapi.BPF_PROG_TYPE_SK_REUSEPORT:
    case uapi.BPF_PROG_TYPE_FLOW_DISSECTOR:
    case uapi.BPF_PROG_TYPE_CGROUP_SKB:
      if (write) return false;
      break;
    case uapi.BPF_PROG_TYPE_SCHED_CLS:
    case uapi.BPF_PROG_TYPE_SCHED_ACT:
    case uapi.BPF_PROG_TYPE_XDP:
    case uapi.BPF_PROG_TYPE_LWT_XMIT:
    case uapi.BPF_PROG_TYPE_SK_SKB:
    case uapi.BPF_PROG_TYPE_SK_MSG:
      break;
    case uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT:
      if (write) env.seenDirectWrite = true;
      return true;
    default:
      return false;
  }
  if (call !== null) return call.packetAccess;
  env.seenDirectWrite = true;
  return true;
}
