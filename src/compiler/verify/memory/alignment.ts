/** Alignment of accesses: always on the stack, whose slots are followed; elsewhere only where it is asked for. */
import { MEMORY } from '../refusals/memory.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import { makeTnum, tnumAdd, tnumIsAligned } from '../domain/tnum.js';
import type { Env } from '../env.js';
import type { ReadonlyReg } from '../state.js';

/** Bytes in front of a packet's IP header on hosts that need alignment; the kernel emulates such a host in strict mode. */
const NET_IP_ALIGN = 2;

/** Checks `size` bytes at the register's offset plus `off`. */
export function checkPointerAlignment(
  env: Env,
  reg: ReadonlyReg,
  off: number,
  size: number,
  strictOnce: boolean,
): number {
  const strict = env.strictAlignment || strictOnce || reg.type === t.PTR_TO_STACK;
  if (!strict || size === 1 || reg.type === t.PTR_TO_ARENA) return 0;
  const packet = reg.type === t.PTR_TO_PACKET || reg.type === t.PTR_TO_PACKET_META;
  const fixed = (packet ? NET_IP_ALIGN : 0) + reg.off + off;
  const sum = makeTnum(fixed >> 31, fixed, 0, 0);
  tnumAdd(sum, sum, reg);
  if (tnumIsAligned(sum, size)) return 0;
  if (packet) return refuse(env, MEMORY.packetMisaligned, NET_IP_ALIGN, reg, reg.off, off, size);
  return refuse(env, MEMORY.misaligned, pointerName(reg.type), reg, reg.off, off, size);
}

function pointerName(type: number): string {
  switch (type) {
    case t.PTR_TO_FLOW_KEYS:
      return 'flow keys ';
    case t.PTR_TO_MAP_KEY:
      return 'key ';
    case t.PTR_TO_MAP_VALUE:
      return 'value ';
    case t.PTR_TO_CTX:
      return 'context ';
    case t.PTR_TO_STACK:
      return 'stack ';
    case t.PTR_TO_SOCKET:
      return 'sock ';
    case t.PTR_TO_SOCK_COMMON:
      return 'sock_common ';
    case t.PTR_TO_TCP_SOCK:
      return 'tcp_sock ';
    case t.PTR_TO_XDP_SOCK:
      return 'xdp_sock ';
    default:
      return '';
  }
}
