/**
 * Code generation alone: BPF instructions a second on one worker, and memory a program takes beside its code, by
 * architecture.
 *
 * The work is every accepted program of the shared corpora where they are there (BPF_JITD_CORPUS, BPF_JITD_CORPORA), else
 * our own recorded ones: as the kernel's JIT was given them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as arm64 from '../src/compiler/jit/arm64/jit.js';
import type { CompiledFunction, JitProgram } from '../src/compiler/jit/program.js';
import * as x86 from '../src/compiler/jit/x86_64/jit.js';
import type { Outcome } from '../src/compiler/outcome.js';
import { compiledRecordings, jitInput as arm64Input, type CompiledRecording } from '../test/jit/corpus.js';
import { jitInput as x86Input } from '../test/jit/x86_64/recordings.js';
import { readGolden } from '../test/golden/golden.js';
import { collector } from './collect.js';
import { median } from './statistics.js';

const SUITES = ['selftests', 'tools', 'test_verifier', 'test_bpf'];
const ROUNDS = 20;

/** A program to be compiled, as often as it is called. */
interface Work {
  readonly instructions: number;
  readonly compile: () => Outcome<readonly CompiledFunction[]>;
}

interface Kind {
  readonly name: string;
  readonly corpus: string;
  readonly golden: string;
  /** Millions of instructions a second that it must reach. */
  readonly least: number;
  readonly work: (recording: CompiledRecording) => Work;
}

const KINDS: readonly Kind[] = [
  {
    name: 'arm64',
    corpus: process.env['BPF_JITD_CORPUS'] ?? '/work/shared/corpus',
    golden: 'jit',
    least: 3,
    work(recording) {
      const { program, options } = arm64Input(recording);
      return { instructions: sizeOf(program), compile: () => arm64.compileProgram(program, options) };
    },
  },
  {
    name: 'x86-64',
    corpus: join(process.env['BPF_JITD_CORPORA'] ?? '/work/shared/corpora', 'linux-6.12-x86_64'),
    golden: 'jit-x86_64',
    least: 2,
    work(recording) {
      const { program, options } = x86Input(recording);
      return { instructions: sizeOf(program), compile: () => x86.compileProgram(program, options) };
    },
  },
];

function sizeOf(program: JitProgram): number {
  return program.functions.reduce((n, f) => n + f.instructions.length, 0);
}

function recordings({ corpus, golden }: Kind): CompiledRecording[] {
  if (existsSync(corpus)) return SUITES.flatMap((suite) => compiledRecordings(join(corpus, suite, 'kernel.jsonl.gz')));
  return readGolden(golden, 'programs').map((r) => ({
    prog: r.program,
    type: r.type,
    err: 0,
    arena: null,
    functions: r.functions.map((fn) => ({
      address: fn.address,
      code: fn.code,
      extable: fn.exceptionTable,
      stack_depth: fn.stackDepth,
      jit_input: fn.jitInput,
    })),
  }));
}

function compileAll(work: readonly Work[]): (readonly CompiledFunction[])[] {
  return work.map(({ compile }) => {
    const compiled = compile();
    if (!compiled.ok) throw new Error(compiled.failure.message);
    return compiled.value;
  });
}

const bytesInUse = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Prints instructions a second of CPU time (median and best round), and memory for each byte of code. */
export function benchCodegen(): void {
  for (const kind of KINDS) benchKind(kind);
}

function benchKind(kind: Kind): void {
  const collect = collector();
  const work = recordings(kind).map((r) => kind.work(r));
  const instructions = work.reduce((n, one) => n + one.instructions, 0);
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    compileAll(work);
    const { user, system } = process.cpuUsage(start); // of this process alone: others may be at work
    rates.push(instructions / (user + system));
  }
  collect();
  const before = bytesInUse();
  const kept = compileAll(work);
  const allocated = bytesInUse() - before;
  const code = kept.flat().reduce((n, f) => n + f.code.length, 0);
  console.log(`codegen for ${kind.name}: ${work.length} programs, ${instructions} instructions, ${code} bytes of code`);
  console.log(
    `  ${median(rates).toFixed(2)} million BPF instructions a second of CPU time (best ${Math.max(...rates).toFixed(2)}; ≥ ${kind.least})`,
  );
  console.log(`  ${(allocated / code).toFixed(1)} bytes of memory for each byte of code, the code included (≤ 50)`);
}
