/**
 * Where a walk over a function placed its parts, in bytes from the function's start:
 *
 *     prologue · one piece per BPF instruction · epilogue · thunk · plt · 32-bit literals · 64-bit literals · exception table
 *
 * The next walk takes these places for what lies ahead of it.
 */
export interface Layout {
  /** The epilogue, where the function's exits go. */
  readonly exit: number;
  /** The branch to %r1 through an expoline; 0 where there is none. */
  readonly thunk: number;
  /** The stub that a trampoline's address is written into (plt.ts). */
  readonly plt: number;
  readonly literals32: number;
  readonly literals64: number;
  /** Of everything but the exception table. */
  readonly size: number;
}

/** Before the first walk nothing has a place. */
export const NO_LAYOUT: Layout = { exit: 0, thunk: 0, plt: 0, literals32: 0, literals64: 0, size: 0 };

/** `offset` raised to a multiple of `unit`, a power of two. */
export function align(offset: number, unit: number): number {
  return (offset + unit - 1) & -unit;
}
