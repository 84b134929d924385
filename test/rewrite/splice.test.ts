/** Splicing and removing all at once must equal the kernel's patching one place at a time. */
import fc from 'fast-check';
import t from 'tap';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import type { Draft } from '../../src/compiler/rewrite/draft.js';
import { remove } from '../../src/compiler/rewrite/remove.js';
import { branchTarget, Sequence } from '../../src/compiler/rewrite/sequence.js';
import { splice, type Patches } from '../../src/compiler/rewrite/splice.js';
import { Facts } from '../../src/compiler/verify/facts.js';
import { patchOne, removeRange, type SimpleInstruction, type SimpleProgram } from './one-at-a-time.js';

interface Plan {
  /** Function lengths. */
  readonly functions: readonly number[];
  /** Per instruction: what it is (0 plain, 1 jump, 2 long jump, 3 call, 4 function address) and a number that picks its target. */
  readonly kinds: readonly (readonly [number, number])[];
  /** Per instruction: instructions in its place, 0 for no patch; whether the last one is the original. */
  readonly patches: readonly (readonly [number, boolean])[];
  readonly lines: readonly boolean[];
}

const PLAN: fc.Arbitrary<Plan> = fc
  .array(fc.integer({ min: 2, max: 12 }), { minLength: 1, maxLength: 4 })
  .chain((functions) => {
    const length = functions.reduce((a, b) => a + b, 0);
    const each = { minLength: length, maxLength: length };
    return fc.record({
      functions: fc.constant(functions),
      kinds: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(1000)), each),
      patches: fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), each),
      lines: fc.array(fc.boolean(), each),
    });
  });

function startsOf(plan: Plan): number[] {
  let at = 0;
  return plan.functions.map((length) => (at += length) - length);
}

/** Target of instruction i: inside its function for jumps, a function's start for calls. */
function targetOf(plan: Plan, i: number): number | null {
  const [kind, pick] = plan.kinds[i]!;
  const starts = startsOf(plan);
  if (kind === 0) return null;
  if (kind === 3) return starts[pick % starts.length]!;
  const f = starts.findLastIndex((start) => start <= i);
  return starts[f]! + (pick % plan.functions[f]!);
}

function draftOf(plan: Plan): Draft {
  const length = plan.kinds.length;
  const insns = Instructions.alloc(length);
  for (let i = 0; i < length; i++) {
    const target = targetOf(plan, i);
    const kind = plan.kinds[i]![0];
    const distance = (target ?? 0) - i - 1;
    if (kind === 0) insns.set(i, isa.ALU64 | isa.MOV | isa.K, 0, 0, 0, i);
    else if (kind === 1) insns.set(i, isa.JMP | isa.JEQ | isa.K, 1, 0, distance, i);
    else if (kind === 2) insns.set(i, isa.JMP32 | isa.JA, 0, 0, 0, distance);
    else insns.set(i, isa.JMP | isa.CALL, 0, isa.PSEUDO_CALL, 0, distance);
  }
  return {
    insns,
    facts: Array.from({ length }, () => new Facts()),
    origin: Int32Array.from({ length }, (_, i) => i),
    symbols: new Map([[0, { kind: 'map', index: 7 }]]),
    functions: startsOf(plan).map((start) => ({
      start,
      subprogram: 0,
      name: String(start),
      stackDepth: 0,
      isExceptionCallback: false,
      tailCallReachable: false,
      hidden: false,
    })),
    lines: plan.lines.flatMap((has, i) =>
      has ? [{ instruction: i, info: { instruction: i, fileNameOff: 0, lineOff: 0, lineCol: i } }] : [],
    ),
  };
}

function simpleOf(plan: Plan): SimpleProgram {
  return {
    insns: plan.kinds.map((_, i) => {
      const target = targetOf(plan, i);
      return { label: `i${i}`, off: target === null ? null : target - i - 1 };
    }),
    starts: startsOf(plan),
    lines: plan.lines.flatMap((has, i) => (has ? [{ label: `i${i}`, at: i }] : [])),
  };
}

/** The kernel leaves a copied jump's distance alone, which only works forwards: nobody copies others. */
function mayCopy(plan: Plan, i: number): boolean {
  const target = targetOf(plan, i);
  return target === null || target > i;
}

function distances(draft: Draft): (number | null)[] {
  return Array.from({ length: draft.insns.length }, (_, i) => {
    const target = branchTarget(draft.insns, i);
    return target < 0 ? null : target - i - 1;
  });
}

function compare(draft: Draft, simple: SimpleProgram): void {
  const same = (a: unknown, b: unknown, what: string): void => {
    if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(`${what}: ${JSON.stringify(a)} ${JSON.stringify(b)}`);
  };
  same(
    distances(draft),
    simple.insns.map((insn) => insn.off),
    'jumps',
  );
  same(
    draft.functions.map((f) => f.start),
    simple.starts,
    'functions',
  );
  same(
    draft.lines.map((l) => [`i${l.info.lineCol}`, l.instruction]),
    simple.lines.map((l) => [l.label, l.at]),
    'lines',
  );
}

t.test('splice equals patching one place at a time', async (t) => {
  fc.assert(
    fc.property(PLAN, (plan) => {
      const draft = draftOf(plan);
      const simple = simpleOf(plan);
      const patches: Patches = new Map();
      let delta = 0;
      plan.patches.forEach(([size, wantsCopy], i) => {
        if (size === 0) return;
        const copies = wantsCopy && mayCopy(plan, i);
        const sequence = new Sequence();
        const patch: SimpleInstruction[] = [];
        for (let k = 0; k < size - 1; k++) {
          sequence.ja(size - k - 1); // to the instruction behind the patch
          patch.push({ label: `p${i}`, off: size - k - 1 });
        }
        if (copies) {
          sequence.copy(draft, i);
          patch.push({ ...simple.insns[i + delta]! });
        } else {
          sequence.mov64Imm(0, 1);
          patch.push({ label: `p${i}`, off: null });
        }
        patches.set(i, sequence);
        patchOne(simple, i + delta, patch);
        delta += size - 1;
      });
      const result = splice(draft, patches);
      if (result !== -1) throw new Error('overflow');
      compare(draft, simple);
      const kept = plan.patches[0]![0] === 0 || (plan.patches[0]![1] && mayCopy(plan, 0));
      if (draft.symbols.size !== (kept ? 1 : 0)) throw new Error('symbols');
    }),
    { numRuns: 500 },
  );
  t.pass('500 random programs');
});

t.test('remove equals removing one stretch at a time', async (t) => {
  fc.assert(
    fc.property(PLAN, (plan) => {
      const draft = draftOf(plan);
      const simple = simpleOf(plan);
      const starts = startsOf(plan);
      const targets = new Set(plan.kinds.map((_, i) => targetOf(plan, i)));
      // what is jumped to or called stays, and the first instruction of a function unless all of it goes
      const whole = new Set(starts.filter((_, f) => f > 0 && plan.patches[starts[f]!]![1] && !targets.has(starts[f]!)));
      const goes = plan.kinds.map((_, i) => {
        const f = starts.findLastIndex((start) => start <= i);
        const inside = starts[f]! < i && !targets.has(i) && plan.patches[i]![0] < 3;
        return whole.has(starts[f]!) || inside;
      });
      const unreachable = plan.kinds.some((_, i) => !goes[i] && targetOf(plan, i) !== null && goes[targetOf(plan, i)!]);
      fc.pre(!unreachable);
      for (let i = 0, at = 0; i < goes.length;) {
        let count = 0;
        while (goes[i + count]) count++;
        if (count > 0) removeRange(simple, at, count);
        else at++;
        i += Math.max(count, 1);
      }
      remove(draft, (i) => goes[i]!);
      compare(draft, simple);
    }),
    { numRuns: 500 },
  );
  t.pass('500 random programs');
});

t.test('a jump that no longer reaches is refused, naming the patch that pushed it too far', async (t) => {
  const length = 32_000;
  const insns = Instructions.alloc(length);
  for (let i = 0; i < length; i++) insns.set(i, isa.ALU64 | isa.MOV | isa.K, 0, 0, 0, 0);
  insns.set(0, isa.JMP | isa.JEQ | isa.K, 1, 0, length - 2, 0);
  const draft: Draft = {
    insns,
    facts: Array.from({ length }, () => new Facts()),
    origin: Int32Array.from({ length }, (_, i) => i),
    symbols: new Map(),
    functions: [],
    lines: [],
  };
  const patches: Patches = new Map();
  for (let i = 1000; i < 3000; i++) patches.set(i, new Sequence().mov64Imm(0, 1).mov64Imm(0, 2));
  // the distance is 31,998 and may be 32,767: the 770th patch is one too many
  t.equal(splice(draft, patches), 1000 + 769);
  t.equal(draft.insns.length, length, 'the draft is unchanged');
});
