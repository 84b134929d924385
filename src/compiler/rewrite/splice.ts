/**
 * Replaces instructions by sequences.
 *
 * The kernel patches its arrays once for every instruction that grows, moving everything behind it each time. Here a
 * pass collects its sequences, then `splice` builds the next program in one go. The result is the kernel's: what was
 * index i before a pass is behind it
 *
 *     first[i]   where the sequence in place of i starts: what calls, function starts and source lines follow
 *     landing[i] where jumps to i land: the same, unless the sequence was put *in front of* i (a prologue)
 *
 * and the sequence's last instruction inherits what the verifier learnt of i.
 */
import { definesLowerHalf } from '../isa/definition.js';
import { Instructions } from '../isa/instructions.js';
import { Facts } from '../verify/facts.js';
import type { Draft } from './draft.js';
import type { SymbolRef } from './program.js';
import { branchTarget, isLongJump, refersToFunction, type Sequence } from './sequence.js';

/** Sequences by the index of the instruction that each replaces. */
export type Patches = Map<number, Sequence>;

/**
 * Replaces instructions by sequences, all at once.
 *
 * Answers -1, or the index of the first instruction whose replacement would push a 16-bit jump out of reach; the draft
 * is then unchanged.
 */
export function splice(draft: Draft, patches: Patches): number {
  if (patches.size === 0) return -1;
  const layout = layOut(draft.insns.length, patches);
  const next = new Splicer(draft, patches, layout);
  if (!next.run()) return firstOverflow(draft, patches);
  draft.insns = next.insns;
  draft.facts = next.facts;
  draft.origin = next.origin;
  draft.symbols = next.symbols;
  for (const f of draft.functions) f.start = layout.first[f.start]!;
  for (const line of draft.lines) line.instruction = layout.first[line.instruction]!;
  return -1;
}

interface Layout {
  readonly first: Int32Array;
  readonly landing: Int32Array;
  readonly length: number;
}

function layOut(length: number, patches: Patches): Layout {
  const first = new Int32Array(length + 1);
  const landing = new Int32Array(length + 1);
  let at = 0;
  for (let i = 0; i < length; i++) {
    const patch = patches.get(i);
    const size = patch?.length ?? 1;
    first[i] = at;
    landing[i] = patch?.landOnLast === true ? at + size - 1 : at;
    at += size;
  }
  first[length] = at;
  landing[length] = at;
  return { first, landing, length: at };
}

/** Builds the next program of one splice. */
class Splicer {
  readonly insns: Instructions;
  readonly facts: Facts[] = [];
  readonly origin: Int32Array;
  readonly symbols = new Map<number, SymbolRef>();

  constructor(
    private readonly draft: Draft,
    private readonly patches: Patches,
    private readonly layout: Layout,
  ) {
    this.insns = Instructions.alloc(layout.length);
    this.origin = new Int32Array(layout.length);
  }

  /** False where a jump no longer reaches. */
  run(): boolean {
    const { insns, symbols } = this.draft;
    for (let i = 0; i < insns.length; i++) {
      const patch = this.patches.get(i);
      if (patch !== undefined) {
        if (!this.place(i, patch)) return false;
        continue;
      }
      const at = this.layout.first[i]!;
      this.insns.copyFrom(insns, i, at, 1);
      this.facts.push(this.draft.facts[i]!);
      this.origin[at] = this.draft.origin[i]!;
      const symbol = symbols.get(i);
      if (symbol !== undefined) this.symbols.set(at, symbol);
      const target = branchTarget(insns, i);
      if (target >= 0 && !this.aim(at, target)) return false;
    }
    return true;
  }

  private place(i: number, patch: Sequence): boolean {
    const start = this.layout.first[i]!;
    const last = patch.length - 1;
    const old = this.draft.facts[i]!;
    patch.writeTo(this.insns, start);
    for (let k = 0; k <= last; k++) {
      const facts = k === last ? old : insertedFacts(old);
      // Nobody has looked at who reads what new instructions write: all of the register, for all that is known.
      facts.zeroExtend = definesLowerHalf(this.insns, start + k);
      this.facts.push(facts);
      this.origin[start + k] = patch.landOnLast && k < last ? -1 : this.draft.origin[i]!;
    }
    for (const [k, symbol] of patch.symbols) this.symbols.set(start + k, symbol);
    for (const [k, target] of patch.targets) if (!this.aim(start + k, target)) return false;
    return true;
  }

  /** Points the jump, call or function address in new slot `at` to the instruction that was `target`. */
  private aim(at: number, target: number): boolean {
    const { insns, layout } = this;
    if (refersToFunction(insns, at)) {
      // What named a function that was removed may point behind the program.
      const behind = Math.max(0, target + 1 - layout.first.length);
      insns.setImm(at, layout.first[target - behind]! + behind - at - 1);
      return true;
    }
    const distance = layout.landing[target]! - at - 1;
    if (isLongJump(insns.opcode(at))) {
      insns.setImm(at, distance);
      return true;
    }
    insns.setOff(at, distance);
    return distance === insns.off(at);
  }
}

/** What holds of an instruction that a sequence puts in front of the one it is for: it is as alive as that one. */
function insertedFacts(of: Facts): Facts {
  const facts = new Facts();
  facts.original = of.original;
  facts.seen = of.seen;
  return facts;
}

/**
 * The first patch, in the order the kernel makes them, behind which some jump is out of reach. Jumps only grow within a
 * pass, so that the one found is the one that the kernel stops at.
 */
function firstOverflow(draft: Draft, patches: Patches): number {
  const done: Patches = new Map();
  const order = [...patches.keys()].sort((a, b) => a - b);
  let low = 0;
  let high = order.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    done.clear();
    for (let k = 0; k < middle; k++) done.set(order[k]!, patches.get(order[k]!)!);
    if (new Splicer(draft, done, layOut(draft.insns.length, done)).run()) low = middle;
    else high = middle;
  }
  return order[high - 1]!;
}

/** Appends a function that no instruction stands for in the program as handed in. */
export function appendHidden(draft: Draft, code: Sequence, isExceptionCallback: boolean): void {
  const start = draft.insns.length;
  const next = Instructions.alloc(start + code.length);
  next.copyFrom(draft.insns, 0, 0, start);
  code.writeTo(next, start);
  const origin = new Int32Array(next.length).fill(-1);
  origin.set(draft.origin);
  for (let k = 0; k < code.length; k++) draft.facts.push(insertedFacts(draft.facts[start - 1]!));
  draft.insns = next;
  draft.origin = origin;
  draft.functions.push({
    start,
    subprogram: -1,
    name: '',
    stackDepth: 0,
    isExceptionCallback,
    tailCallReachable: false,
    hidden: true,
  });
}
