/**
 * Casts between address spaces (since Linux 6.9).
 *
 * A cast from the arena's address space (1) to the kernel's (0) leaves the low half of the pointer: a 32-bit move. The
 * other direction is the JIT's, except where the arena was made without user addresses (BPF_F_NO_USER_CONV): then it is
 * a 32-bit move, too.
 */
import * as isa from '../../isa/opcodes.js';
import type { Fixup, FixupContext } from './fixup.js';

/** Flag of an arena: its pointers are never turned into user addresses. */
const F_NO_USER_CONV = 1 << 18;
/** Immediate of a cast: target address space in the high half, source in the low one. */
const FROM_ARENA = 1;

export const castAddressSpace: Fixup = (context, i) => {
  const { insns } = context.draft;
  if (insns.opcode(i) !== (isa.ALU64 | isa.MOV | isa.X) || insns.imm(i) === 0) return null;
  const fromArena = insns.off(i) === isa.ADDR_SPACE_CAST && insns.imm(i) === FROM_ARENA;
  if (fromArena || !arenaHasUserAddresses(context)) {
    insns.set(i, isa.ALU | isa.MOV | isa.X, insns.dst(i), insns.src(i), 0, 0);
  }
  return 'done';
};

function arenaHasUserAddresses(context: FixupContext): boolean {
  const arena = context.input.maps[context.input.arenaMap];
  return arena === undefined || (arena.spec.flags & F_NO_USER_CONV) === 0;
}
