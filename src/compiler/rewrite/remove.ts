import { Instructions } from '../isa/instructions.js';
import type { Draft, DraftLine } from './draft.js';
import { branchTarget, isLongJump, refersToFunction } from './sequence.js';

/**
 * Takes the marked instructions out, with the functions and lines that lose all of theirs.
 *
 * A jump to a removed instruction lands on the one behind it. The last line of a removed stretch passes to the
 * instruction behind the stretch, unless that one starts a line itself (Linux 4.20 and later).
 */
export function remove(draft: Draft, isRemoved: (i: number) => boolean): void {
  const { insns } = draft;
  const moved = new Int32Array(insns.length + 1);
  const kept: number[] = [];
  for (let i = 0; i < insns.length; i++) {
    moved[i] = kept.length;
    if (!isRemoved(i)) kept.push(i);
  }
  moved[insns.length] = kept.length;
  if (kept.length === insns.length) return;

  removeLines(draft, moved);
  removeFunctions(draft, moved);
  removeInstructions(draft, kept, moved);
}

function removeInstructions(draft: Draft, kept: readonly number[], moved: Int32Array): void {
  const { insns, facts, origin, symbols } = draft;
  const next = Instructions.alloc(kept.length);
  draft.facts = kept.map((i) => facts[i]!);
  draft.origin = Int32Array.from(kept, (i) => origin[i]!);
  draft.symbols = new Map();
  kept.forEach((i, at) => {
    next.copyFrom(insns, i, at, 1);
    const symbol = symbols.get(i);
    if (symbol !== undefined) draft.symbols.set(at, symbol);
    const target = branchTarget(insns, i);
    if (target < 0) return;
    if (refersToFunction(insns, i)) next.setImm(at, functionMovedTo(target, moved) - at - 1);
    else if (isLongJump(insns.opcode(i))) next.setImm(at, moved[target]! - at - 1);
    else next.setOff(at, moved[target]! - at - 1);
  });
  draft.insns = next;
}

/**
 * Where a reference to a function at `target` points afterwards. The kernel removes stretch by stretch, and leaves alone
 * what points into one: a function removed from the middle of a stretch then lies behind the stretch's place.
 */
function functionMovedTo(target: number, moved: Int32Array): number {
  const length = moved.length - 1;
  if (target > length) return moved[length]! + target - length;
  if (moved[target] !== moved[target + 1]) return moved[target]!;
  let to = target;
  for (let start = 0; start < length; start++) {
    let end = start;
    while (end < length && moved[end] === moved[end + 1]) end++;
    const place = moved[start]!; // of the stretch, once those before it are gone
    if (to >= place + end - start) to -= end - start;
    start = end;
  }
  return to;
}

function removeFunctions(draft: Draft, moved: Int32Array): void {
  const end = moved.length - 1;
  const { functions } = draft;
  draft.functions = functions.filter((f, k) => moved[f.start] !== moved[functions[k + 1]?.start ?? end]);
  for (const f of draft.functions) f.start = moved[f.start]!;
}

function removeLines(draft: Draft, moved: Int32Array): void {
  const end = moved[moved.length - 1]!;
  const lines: DraftLine[] = [];
  for (const line of draft.lines) {
    const instruction = moved[line.instruction]!;
    if (instruction === end) continue;
    if (lines.at(-1)?.instruction === instruction) lines.pop();
    lines.push({ instruction, info: line.info });
  }
  draft.lines = lines;
}
