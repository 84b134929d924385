/**
 * How long jumps are. A jump has two bytes where its distance fits a byte, five or six elsewhere, and none at all where it leads to what
 * follows it anyhow; and that depends on the length of all jumps between.
 *
 * The kernel walks its function until two walks come out equally long, and then once more for good. A walk measures forward jumps by the walk
 * before, backward jumps by itself; the first one takes every slot before for 64 bytes. Distances that just fit a byte are left long, up to 123
 * (is_imm8_jmp_offset), so that jumps do not grow and shrink in turn. From the 16th walk on, what could shrink is filled with NOPs instead;
 * whatever has not come to rest after 20 walks is not compiled. All of that shows in the code: the walks are done as the kernel does them, but
 * over the jumps alone.
 */
import { LONG_CONDITIONAL_BYTES, LONG_JUMP_BYTES, SHORT_JUMP_BYTES } from './encode/control.js';
import { ALWAYS, SELF, type FunctionState } from './state.js';

const MOST_WALKS = 20;
const WALKS_BEFORE_FILLING = 15;
/** What the kernel takes a slot for before its first walk. */
const FIRST_GUESS = 64;
/** Longest way forward in the short form. */
const SHORT_REACH = 123;

export interface Layout {
  /** Bytes of jumps before each jump, and of all. */
  readonly bytes: Int32Array;
  /** How far each goes, from its end. */
  readonly distances: Int32Array;
}

/** Null where the kernel's JIT gives up. */
export function layOut(s: FunctionState): Layout | null {
  const count = s.jumpAt.length;
  const distances = new Int32Array(count);
  let before = new Int32Array(count + 1);
  let now = new Int32Array(count + 1);
  let lastLength = -1;
  for (let walk = 0; walk < MOST_WALKS; walk++) {
    if (!walkOnce(s, walk === 0 ? null : before, now, walk >= WALKS_BEFORE_FILLING, distances)) return null;
    const length = now[count]!;
    [before, now] = [now, before];
    if (walk === 0 && !callsReach(s, before)) return null;
    if (length === lastLength) {
      // The last walk writes the code, and must find everything where it was.
      const filling = walk + 1 >= WALKS_BEFORE_FILLING;
      if (!walkOnce(s, before, now, filling, distances)) return null;
      for (let k = 1; k <= count; k++) if (now[k] !== before[k]) return null;
      return { bytes: now, distances };
    }
    lastLength = length;
  }
  return null;
}

/** Fills in `now` and `distances`; `before` is null in the first walk. False where filling does not come out. */
function walkOnce(
  s: FunctionState,
  before: Int32Array | null,
  now: Int32Array,
  filling: boolean,
  distances: Int32Array,
): boolean {
  const { starts, jumpsBefore, jumpAt, jumpSlot, jumpTarget, jumpKind } = s;
  const count = jumpAt.length;
  for (let k = 0; k < count; k++) {
    const target = jumpTarget[k]!;
    const slot = jumpSlot[k]!;
    const kind = jumpKind[k]!;
    let distance = -SHORT_JUMP_BYTES;
    if (target !== SELF) {
      const end = before === null ? FIRST_GUESS * (slot + 2) : jumpAt[k]! + before[k + 1]!;
      if (target <= slot) distance = starts[target]! + now[jumpsBefore[target]!]! - end;
      else if (before === null) distance = FIRST_GUESS * (target + 1) - end;
      else distance = starts[target]! + before[jumpsBefore[target]!]! - end;
    }
    distances[k] = distance;
    let bytes = kind < ALWAYS ? LONG_CONDITIONAL_BYTES : LONG_JUMP_BYTES;
    if (distance === 0 && kind === ALWAYS) bytes = 0;
    else if (distance <= SHORT_REACH && distance >= -128) bytes = SHORT_JUMP_BYTES;
    if (filling && before !== null) {
      const filled = fill(kind, bytes, before[k + 1]! - now[k]!);
      if (filled < 0) return false;
      bytes = filled;
    }
    now[k + 1] = now[k]! + bytes;
  }
  return true;
}

/** A jump of `bytes` in the place of `room`, NOPs before it: -1 where the place is not that of a longer form. */
function fill(kind: number, bytes: number, room: number): number {
  if (bytes > SHORT_JUMP_BYTES || room === bytes) return bytes;
  if (bytes === 0) return room === SHORT_JUMP_BYTES || room === LONG_JUMP_BYTES ? room : -1;
  return room === (kind < ALWAYS ? LONG_CONDITIONAL_BYTES : LONG_JUMP_BYTES) ? room : -1;
}

/** Kernel text begins 16 MiB above the lowest address that a call reaches from 0, where the first walk has the function lie. */
const ALWAYS_IN_REACH = 0x100_0000;
const INT32_MIN = -0x8000_0000;

/** Whether calls of the kernel reached from the places that the first walk gave them. */
function callsReach(s: FunctionState, bytes: Int32Array): boolean {
  if (s.code.length + bytes[bytes.length - 1]! < ALWAYS_IN_REACH) return true;
  return s.distanceTo.every((target, k) => {
    const end = s.distanceAt[2 * k]! + bytes[s.distanceAt[2 * k + 1]!]! + 4;
    return target.hi !== -1 || target.lo - end >= INT32_MIN;
  });
}
