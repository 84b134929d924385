/**
 * The stub behind a function's code that a trampoline is reached by (Linux 6.12, struct bpf_plt): the nop at the function's
 * start becomes a branch here, and the target is overwritten.
 *
 *     lgrl %r0,ret
 *     lgrl %r1,target
 *     br   %r1
 *     ret:    .quad     behind the nop
 *     target: .quad     the same, until a trampoline is attached
 */
import { addOffset } from '../address.js';
import { branchRegister, ril } from './encode/formats.js';
import { LGRL } from './encode/opcodes.js';
import { align } from './layout.js';
import { putAddress } from './literals.js';
import { PATCH_BYTES } from './lower/frame.js';
import { WORK0, WORK1 } from './registers.js';
import type { FunctionState } from './state.js';

/** Offsets in the stub; the code is padded. */
const RETURN_PLACE = 16;
const TARGET_PLACE = 24;
export const PLT_BYTES = 32;

/** Appends the stub; answers where it lies. */
export function emitPlt(s: FunctionState): number {
  const { code } = s;
  const plt = align(code.length, 8);
  code.padTo(plt);
  code.reserve(PLT_BYTES);
  ril(code, LGRL, WORK0, s.distanceTo(plt + RETURN_PLACE));
  ril(code, LGRL, WORK1, s.distanceTo(plt + TARGET_PLACE));
  branchRegister(code, 15, WORK1);
  code.padTo(plt + RETURN_PLACE);
  const back = s.address === null ? null : addOffset(s.address, PATCH_BYTES);
  const self = { kind: 'function', index: s.index } as const;
  putAddress(code, back, s.relocations, self, PATCH_BYTES);
  putAddress(code, back, s.relocations, self, PATCH_BYTES);
  return plt;
}
