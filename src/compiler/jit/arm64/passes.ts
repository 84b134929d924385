/**
 * What the kernel's several walks over a function show in the result.
 *
 * Its first walk knows no addresses: each call is taken for four instructions. The layout found by one walk is the next
 * one's guess for what lies ahead. Each walk checks that conditional branches reach: in the first, a backward branch is
 * measured from the function's start, since nothing behind it has been placed.
 */
import type { FunctionState } from './state.js';

/** A far call takes four words where a near one takes one. */
const FAR_CALL_EXTRA = 3;
/** Words that the 19 bits of a conditional branch reach. */
const SHORT_REACH = 1 << 18;

/** Where the first walk placed what ended up at word `at`. */
export function estimatedWords(s: FunctionState, at: number): number {
  const { nearCalls } = s;
  let low = 0;
  let high = nearCalls.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (nearCalls[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return at + FAR_CALL_EXTRA * low;
}

/** Whether every conditional branch reached in the walks before the last. `estimate`: the code's size after the first. */
export function fitsFirstPasses(s: FunctionState, estimate: number): boolean {
  if (estimate < SHORT_REACH) return true;
  const { pending, starts } = s;
  for (let k = 0; k < pending.length; k += 2) {
    const at = pending[k]!;
    if (s.code.words[at]! >>> 26 === 0x05) continue; // B reaches further than any function
    const target = starts[pending[k + 1]!]!;
    if (!reachesEarly(s, at, target)) return false;
  }
  return true;
}

function reachesEarly(s: FunctionState, at: number, target: number): boolean {
  const guessedTarget = estimatedWords(s, target);
  const guessedBranch = estimatedWords(s, at);
  if (target > at) return guessedTarget - guessedBranch < SHORT_REACH;
  return guessedTarget + 1 < SHORT_REACH && guessedBranch - target <= SHORT_REACH;
}
