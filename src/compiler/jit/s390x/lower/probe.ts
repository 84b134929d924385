/**
 * Accesses that may fault: through pointers into the kernel that the verifier does not vouch for, and to an arena, whose
 * pointers are 32 bits from its start. Each is followed by a nop; both have an entry in the exception table.
 */
import * as isa from '../../../isa/opcodes.js';
import { ril } from '../encode/formats.js';
import { LGRL } from '../encode/opcodes.js';
import { ZEROES_NOTHING } from '../exception-table.js';
import { WORK1 } from '../registers.js';
import type { FunctionState } from '../state.js';
import { nop } from './frame.js';

/** Loads where the kernel mapped the arena into %r1. Its address is the first of the 64-bit literals. */
export function loadArenaBase(s: FunctionState): void {
  ril(s.code, LGRL, WORK1, s.distanceTo(s.layout.literals64));
}

/** Whether accesses of a load's or store's mode may fault. */
export function mayFault(mode: number): boolean {
  return mode === isa.PROBE_MEM || mode === isa.PROBE_MEMSX || mode === isa.PROBE_MEM32 || mode === isa.PROBE_ATOMIC;
}

/** Ends an access that began at byte `access`: a fault zeroes `register` and goes on behind the nop. */
export function endProbe(s: FunctionState, access: number, register: number = ZEROES_NOTHING): void {
  const behind = s.code.length;
  nop(s);
  s.faults.push(access, behind, s.code.length, register);
}
