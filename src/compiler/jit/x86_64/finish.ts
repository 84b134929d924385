/** Puts a function's code together once its jumps are laid out: everything gets its place, and distances are filled in. */
import { distance } from '../address.js';
import type { CodeRelocation, CompiledFunction } from '../program.js';
import { CodeBuffer } from './code-buffer.js';
import { longJump, longJumpIf, nop, shortJump, shortJumpIf, SHORT_JUMP_BYTES } from './encode/control.js';
import { ENTRY_ALIGNMENT, exceptionEntries } from './exception-table.js';
import type { Layout } from './layout.js';
import { ALWAYS, type FunctionState } from './state.js';

/** Bytes up to which a loop copies faster than the engine's own copy, which needs an object. */
const SHORT_COPY = 64;

/** Null where a call does not reach its target. */
export function finish(s: FunctionState, layout: Layout): CompiledFunction | null {
  const code = withJumps(s, layout);
  if (!fillDistances(s, layout.bytes, code)) return null;
  const table = s.faults.length === 0 ? 0 : Math.ceil(code.length / ENTRY_ALIGNMENT) * ENTRY_ALIGNMENT;
  return {
    name: s.fn.name,
    code,
    exceptionTable: exceptionEntries(s.faults, layout.bytes, table),
    exceptionTableOffset: table,
    relocations: placedRelocations(s, layout.bytes),
    offsets: placedSlots(s, layout.bytes),
  };
}

/** The code with its jumps between. */
function withJumps(s: FunctionState, { bytes, distances }: Layout): Uint8Array {
  const { jumpAt, jumpKind } = s;
  const count = jumpAt.length;
  const out = new CodeBuffer(s.code.length + bytes[count]!);
  let from = 0;
  for (let k = 0; k < count; k++) {
    const at = jumpAt[k]!;
    copy(s.code.bytes, from, at, out);
    from = at;
    const size = bytes[k + 1]! - bytes[k]!;
    if (size > 0) putJump(out, jumpKind[k]!, size, distances[k]!);
  }
  copy(s.code.bytes, from, s.code.length, out);
  return out.bytes;
}

function copy(source: Uint8Array, from: number, to: number, out: CodeBuffer): void {
  const { bytes, length } = out;
  if (to - from > SHORT_COPY) bytes.set(source.subarray(from, to), length);
  else for (let i = from; i < to; i++) bytes[length + i - from] = source[i]!;
  out.length = length + to - from;
}

/** A jump in the place of `size` bytes, which the layout chose: NOPs before it where it needs fewer. */
function putJump(out: CodeBuffer, kind: number, size: number, distance: number): void {
  const conditional = kind < ALWAYS;
  if (distance === 0 && kind === ALWAYS) nop(out, size);
  else if (distance <= 123 && distance >= -128) {
    nop(out, size - SHORT_JUMP_BYTES);
    if (conditional) shortJumpIf(out, kind, distance);
    else shortJump(out, distance);
  } else if (conditional) longJumpIf(out, kind, distance);
  else longJump(out, distance);
}

/** Distances to what lies outside of the function; false where one does not fit its 32 bits. */
function fillDistances(s: FunctionState, bytes: Int32Array, code: Uint8Array): boolean {
  const { distanceAt, distanceTo, address } = s;
  if (distanceTo.length === 0) return true;
  if (address === null) throw new RangeError('a distance from a function that lies nowhere');
  const view = new DataView(code.buffer);
  for (let k = 0; k < distanceTo.length; k++) {
    const at = distanceAt[2 * k]! + bytes[distanceAt[2 * k + 1]!]!;
    const away = distance(distanceTo[k]!, address) - at - 4;
    if (away !== (away | 0)) return false;
    view.setInt32(at, away, true);
  }
  return true;
}

function placedRelocations(s: FunctionState, bytes: Int32Array): CodeRelocation[] {
  return s.relocations.map((one, k) => ({ ...one, offset: one.offset + bytes[s.relocationJumps[k]!]! }));
}

function placedSlots(s: FunctionState, bytes: Int32Array): Uint32Array {
  const { starts, jumpsBefore } = s;
  for (let i = 0; i < starts.length; i++) starts[i] = starts[i]! + bytes[jumpsBefore[i]!]!;
  return starts;
}
