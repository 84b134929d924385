/**
 * Code generation alone: BPF instructions a second on one worker, and memory a program takes beside its code.
 *
 * The work is every accepted program of the shared corpora where they are there (BPF_JITD_CORPUS), else our own recorded
 * ones: as the kernel's JIT was given them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileProgram, type JitOptions } from '../src/compiler/jit/arm64/jit.js';
import type { CompiledFunction, JitProgram } from '../src/compiler/jit/program.js';
import { compiledRecordings, jitInput, type CompiledRecording } from '../test/jit/corpus.js';
import { readGolden } from '../test/golden/golden.js';
import { collector } from './collect.js';
import { median } from './statistics.js';

const SUITES = ['selftests', 'tools', 'test_verifier', 'test_bpf'];
const ROUNDS = 20;

interface Work {
  readonly program: JitProgram;
  readonly options: JitOptions;
}

function recordings(): CompiledRecording[] {
  const corpus = process.env['BPF_JITD_CORPUS'] ?? '/work/shared/corpus';
  if (existsSync(corpus)) return SUITES.flatMap((suite) => compiledRecordings(join(corpus, suite, 'kernel.jsonl.gz')));
  return readGolden('jit', 'programs').map((r) => ({
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
  return work.map(({ program, options }) => {
    const compiled = compileProgram(program, options);
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
  const collect = collector();
  const work = recordings().map((r) => jitInput(r));
  const instructions = work.flatMap(({ program }) => program.functions).reduce((n, f) => n + f.instructions.length, 0);
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
  console.log(`codegen: ${work.length} programs, ${instructions} instructions, ${code} bytes of code`);
  console.log(
    `  ${median(rates).toFixed(2)} million BPF instructions a second of CPU time (best ${Math.max(...rates).toFixed(2)}; ≥ 3)`,
  );
  console.log(`  ${(allocated / code).toFixed(1)} bytes of memory for each byte of code, the code included (≤ 50)`);
}
