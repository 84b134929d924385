/**
 * Entry and exit of a function, and its stack (Linux 6.12):
 *
 *     caller's SP →  +-------------------------+
 *                    | x29, x30                |  ← x29
 *                    | tail-call count, x26    |  ← x26 (of a subprogram: x26 twice)
 *                    | saved registers, pairs  |
 *     BPF's R10   →  +-------------------------+
 *                    | BPF stack, 16-aligned   |
 *     SP          →  +-------------------------+
 *
 * A function that may be unwound by an exception (the boundary) saves every callee-saved register, because the exception's
 * callback, which runs on the boundary's frame, restores them all.
 */
import { addImmediate, mov, subImmediate } from '../encode/arithmetic.js';
import { returnTo } from '../encode/branch.js';
import { maybeAddSubImmediate } from '../encode/immediates.js';
import { pop, push } from '../encode/memory.js';
import { FP, LR, SP, ZR } from '../encode/registers.js';
import { AUTIASP, BTI_J, BTI_JC, NOP, PACIASP } from '../encode/system.js';
import { ARENA_BASE, FRAME_POINTER, MACHINE_REGISTER, RESULT, TAIL_COUNT } from '../registers.js';
import type { CpuFeatures } from '../target.js';
import type { FunctionState } from '../state.js';
import { loadSymbol, loadWideNumber } from './constants.js';

/** BPF's R6 to R10, in the order they are saved. */
const CALLEE_SAVED = [6, 7, 8, 9, 10] as const;
/** Every register that the procedure call standard has the callee save, in pushing order. */
const ALL_SAVED: readonly (readonly [number, number])[] = [
  [19, 20],
  [21, 22],
  [23, 24],
  [25, 26],
  [27, 28],
];
/** Bytes from x29 down to the last of them: the count's pair and five more. */
const BOUNDARY_FRAME = 96;

/** Where a tail call enters the next program, in bytes: behind the set-up of frame and count, which it keeps. */
export function tailCallEntry(cpu: CpuFeatures): number {
  return 4 * (2 + 4 + (cpu.bti ? 1 : 0) + (cpu.pac ? 1 : 0));
}

export function emitPrologue(s: FunctionState): void {
  const { fn, options } = s;
  // BPF code is reached by bl, br (extensions) and blr; fentry patches the nop.
  if (options.cpu.bti) s.put(BTI_JC);
  s.put(mov(true, 9, LR));
  s.put(NOP);
  const setsFrame = fn.exceptionCallback ? enterCallback(s) : enterFunction(s);
  if (setsFrame) s.put(mov(true, FRAME_POINTER, SP));
  if (s.stackBytes > 0) s.put(subImmediate(true, SP, SP, stackImmediate(s)));
  loadArenaBase(s);
}

/** Answers whether the BPF frame pointer is used. */
function enterFunction(s: FunctionState): boolean {
  const { fn, options } = s;
  if (options.cpu.pac) s.put(PACIASP);
  s.put(push(FP, LR, SP));
  s.put(mov(true, FP, SP));
  s.put(push(fn.isSubprogram ? TAIL_COUNT : ZR, TAIL_COUNT, SP));
  if (!fn.isSubprogram) {
    s.put(mov(true, TAIL_COUNT, SP));
    if (options.cpu.bti) s.put(BTI_J);
  }
  if (fn.exceptionBoundary) {
    for (const [first, second] of ALL_SAVED) s.put(push(first, second, SP));
    return true;
  }
  const used = usedRegisters(s);
  s.saved = CALLEE_SAVED.filter((r) => (used & (1 << r)) !== 0).map((r) => MACHINE_REGISTER[r]!);
  if (s.arenaMap >= 0) s.saved = [...s.saved, ARENA_BASE];
  for (let k = 0; k < s.saved.length; k += 2) s.put(push(s.saved[k]!, s.saved[k + 1] ?? ZR, SP));
  return (used & (1 << 10)) !== 0;
}

/** The callback is handed the boundary's x29 as its third argument, and goes on in its frame. */
function enterCallback(s: FunctionState): boolean {
  s.put(mov(true, FP, 2));
  s.put(subImmediate(true, SP, FP, maybeAddSubImmediate(BOUNDARY_FRAME)!));
  return true;
}

/** A bit for each BPF register that an instruction names, whatever the field means there. */
function usedRegisters(s: FunctionState): number {
  const { bytes, length } = s.fn.instructions;
  let used = 0;
  for (let i = 0; i < length; i++) {
    const registers = bytes[i * 8 + 1]!;
    used |= (1 << (registers & 0xf)) | (1 << (registers >> 4));
  }
  return used;
}

function loadArenaBase(s: FunctionState): void {
  if (s.arenaMap < 0) return;
  const arena = s.options.link?.arena ?? null;
  if (arena === null) loadSymbol(s, ARENA_BASE, { kind: 'arena', index: s.arenaMap, side: 'kernel' });
  else loadWideNumber(s, ARENA_BASE, arena.kernel.hi, arena.kernel.lo);
}

/** Frees the BPF stack and restores what the prologue saved; a tail call does so, too. */
export function leaveBody(s: FunctionState): void {
  const { fn, saved } = s;
  if (s.stackBytes > 0) s.put(addImmediate(true, SP, SP, stackImmediate(s)));
  if (fn.exceptionBoundary || fn.exceptionCallback) {
    for (let k = ALL_SAVED.length - 1; k >= 0; k--) s.put(pop(ALL_SAVED[k]![0], ALL_SAVED[k]![1], SP));
    return;
  }
  for (let k = (saved.length - 1) & ~1; k >= 0; k -= 2) s.put(pop(saved[k]!, saved[k + 1] ?? ZR, SP));
}

export function emitEpilogue(s: FunctionState): void {
  leaveBody(s);
  s.put(pop(ZR, TAIL_COUNT, SP));
  s.put(pop(FP, LR, SP));
  s.put(mov(true, 0, RESULT));
  if (s.options.cpu.pac) s.put(AUTIASP);
  s.put(returnTo(LR));
}

/** The verifier allows 512 bytes of stack: far below what the field holds. */
function stackImmediate(s: FunctionState): NonNullable<ReturnType<typeof maybeAddSubImmediate>> {
  const field = maybeAddSubImmediate(s.stackBytes);
  if (field === null) throw new RangeError(`a stack of ${s.stackBytes} bytes`);
  return field;
}
