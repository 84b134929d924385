/** Memory that is handed to a helper or kernel function with its size. */
import { CALLS } from '../refusals/calls.js';
import { refuse } from '../refusals/refuse.js';
import * as t from '../../targets/types.js';
import * as uapi from '../../targets/uapi.js';
import { isNull } from '../domain/scalar.js';
import { currentRegs } from '../env.js';
import type { Env } from '../env.js';
import { EACCES } from '../errno.js';
import { checkBtfAccess } from '../memory/btf-access.js';
import { checkBufferAccess } from '../memory/buffer-access.js';
import type { CallMeta } from './call-meta.js';
import { checkMapAccess, checkMapRights } from '../memory/map-access.js';
import { checkMemAccess } from '../memory/memory.js';
import { checkPacketAccess } from '../memory/packet-access.js';
import { checkRegionAccess } from '../memory/region.js';
import { checkStackRange } from '../memory/stack-range.js';
import { isReadOnlyMem } from '../register-types.js';

export { checkMapAccess };

/**
 * Checks that the callee may access `size` bytes behind the register. `meta` with rawMode set lets it fill stack memory
 * that is not initialised (null: everything must be).
 */
export function checkHelperMemAccess(
  env: Env,
  regno: number,
  size: number,
  write: boolean,
  zeroSizeAllowed: boolean,
  meta: CallMeta | null,
): number {
  const reg = currentRegs(env)[regno]!;
  const { off, type } = reg;
  const readOnlyError = (): number => {
    return refuse(env, CALLS.writesReadOnly, regno, type);
  };
  switch (t.baseType(type)) {
    case t.PTR_TO_PACKET:
    case t.PTR_TO_PACKET_META:
      return checkPacketAccess(env, regno, off, size, zeroSizeAllowed);
    case t.PTR_TO_MAP_KEY:
      if (write) return readOnlyError();
      return checkRegionAccess(env, regno, off, size, reg.map!.spec.keySize, false);
    case t.PTR_TO_MAP_VALUE:
      if (checkMapRights(env, regno, off, size, write) !== 0) return -EACCES;
      return checkMapAccess(env, regno, off, size, zeroSizeAllowed, true);
    case t.PTR_TO_MEM:
      if (write && isReadOnlyMem(type)) return readOnlyError();
      return checkRegionAccess(env, regno, off, size, reg.memSize, zeroSizeAllowed);
    case t.PTR_TO_BUF:
      if (write && isReadOnlyMem(type)) return readOnlyError();
      return checkBufferAccess(env, regno, off, size);
    case t.PTR_TO_STACK:
      return checkStackRange(env, regno, off, size, zeroSizeAllowed, 'helper', meta);
    case t.PTR_TO_BTF_ID:
      return checkBtfAccess(env, regno, off, size, false, -1);
    case t.PTR_TO_CTX:
      if (isPlainContext(env)) return checkPlainContext(env, regno, size, write, zeroSizeAllowed);
      break;
    default:
      break;
  }
  if (zeroSizeAllowed && size === 0 && isNull(reg)) return 0;
  return refuse(env, CALLS.memoryArgumentType, regno, type, t.PTR_TO_STACK);
}

/** Contexts that are plain memory: accesses are not rewritten, so a helper may be handed them. */
function isPlainContext(env: Env): boolean {
  switch (env.progType) {
    case uapi.BPF_PROG_TYPE_KPROBE:
    case uapi.BPF_PROG_TYPE_TRACEPOINT:
    case uapi.BPF_PROG_TYPE_RAW_TRACEPOINT:
    case uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
    case uapi.BPF_PROG_TYPE_TRACING:
    case uapi.BPF_PROG_TYPE_STRUCT_OPS:
    case uapi.BPF_PROG_TYPE_LSM:
    case uapi.BPF_PROG_TYPE_SYSCALL:
    case uapi.BPF_PROG_TYPE_CGROUP_DEVICE:
    case uapi.BPF_PROG_TYPE_LIRC_MODE2:
    case uapi.BPF_PROG_TYPE_NETFILTER:
      return true;
    default:
      return false;
  }
}

/** The size is checked when the program is run: only the last byte is looked at. */
function checkPlainContext(env: Env, regno: number, size: number, write: boolean, zeroSizeAllowed: boolean): number {
  if (size === 0) return zeroSizeAllowed ? 0 : refuse(env, CALLS.contextOfNoSize);
  return checkMemAccess(env, env.insnIdx, regno, size - 1, 1, write, -1, false, false);
}
