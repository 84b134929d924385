/** Moves: between registers, plain, sign-extending (cpu v4) and into the user's address space; of numbers. */
import * as isa from '../../../isa/opcodes.js';
import { branchShort, insertBits, ril, rre } from '../encode/formats.js';
import { IIHF, LBR, LGBR, LGFI, LGFR, LGHR, LGR, LHR, LLGFR, LLILF, LTGR } from '../encode/opcodes.js';
import { MACHINE_REGISTER, WORK0 } from '../registers.js';
import type { FunctionState } from '../state.js';

/** Immediate of an address-space cast: from 0, the kernel's, to 1, the arena's. */
const TO_ARENA = 1 << 16;
/** Condition code 0: the register was 0. */
const IS_ZERO = 8;

/** Lowers a move between registers; false for one that the JIT does not know. */
export function lowerMove(s: FunctionState, i: number, wide: boolean): boolean {
  const { instructions } = s.fn;
  const rd = MACHINE_REGISTER[instructions.dst(i)]!;
  const rn = MACHINE_REGISTER[instructions.src(i)]!;
  const off = instructions.off(i);
  if (!wide) return move32(s, rd, rn, off);
  if (off === isa.ADDR_SPACE_CAST && instructions.imm(i) === TO_ARENA) {
    castToUser(s, rd, rn);
    return true;
  }
  switch (off) {
    case 0:
      rre(s.code, LGR, rd, rn);
      return true;
    case 8:
      rre(s.code, LGBR, rd, rn);
      return true;
    case 16:
      rre(s.code, LGHR, rd, rn);
      return true;
    case 32:
      rre(s.code, LGFR, rd, rn);
      return true;
    default:
      return false;
  }
}

function move32({ code }: FunctionState, rd: number, rn: number, off: number): boolean {
  if (off !== 0 && off !== 8 && off !== 16) return false;
  if (off !== 0) rre(code, off === 8 ? LBR : LHR, rd, rn);
  rre(code, LLGFR, rd, off === 0 ? rn : rd);
  return true;
}

export function lowerMoveNumber(s: FunctionState, i: number, wide: boolean): boolean {
  const { instructions } = s.fn;
  ril(s.code, wide ? LGFI : LLILF, MACHINE_REGISTER[instructions.dst(i)]!, instructions.imm(i));
  return true;
}

/**
 * The user's address of a place in the arena: the arena's upper half over the pointer's lower one; NULL stays NULL. Where
 * only a linker knows the arena, that half is taken from a literal.
 */
function castToUser(s: FunctionState, rd: number, rn: number): void {
  const { code } = s;
  const arena = s.options.link?.arena ?? null;
  rre(code, LTGR, rd, rn);
  branchShort(code, IS_ZERO, arena === null ? 8 : 5);
  if (arena !== null) {
    ril(code, IIHF, rd, arena.user.hi);
    return;
  }
  s.loadSymbol(WORK0, { kind: 'arena', index: s.arenaMap, side: 'user' });
  insertBits(code, rd, WORK0, 0, 31);
}
