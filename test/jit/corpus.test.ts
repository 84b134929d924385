/**
 * The JIT against the kernel's own code: every accepted program of the shared corpora, driven from the instructions that
 * the kernel's JIT was given. The corpora are not part of this repository; without them this test has nothing to say.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { CompiledFunction } from '../../src/compiler/jit/program.js';
import { compiledRecordings, jitInput, type RecordedFunction } from './corpus.js';

const CORPUS = process.env['BPF_JITD_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus');
/** Suite, and its accepted programs with their functions: all came out equal when this was written, and must stay so. */
const SUITES = [
  ['selftests', 930, 1145],
  ['tools', 197, 231],
  ['test_verifier', 129, 151],
  ['test_bpf', 359, 359],
] as const;

function sameCode(ours: CompiledFunction, kernel: RecordedFunction): boolean {
  return Buffer.from(ours.code).toString('hex') === kernel.code;
}

function sameTable(ours: CompiledFunction, kernel: RecordedFunction): boolean {
  const entries = ours.exceptionTable.map(({ offset, resume, register, raw }) => {
    return { offset, resume, register, raw: Buffer.from(raw.subarray(0, 10)).toString('hex') };
  });
  const table = kernel.extable.map(({ offset, resume, register, raw }) => ({ offset, resume, register, raw }));
  return (
    JSON.stringify(entries) === JSON.stringify(table) && ours.exceptionTableOffset === (kernel.extable_offset ?? 0)
  );
}

for (const [suite, programs, functions] of SUITES) {
  const file = join(CORPUS, suite, 'kernel.jsonl.gz');
  tap.test(suite, { skip: !existsSync(file) }, (t) => {
    const recordings = compiledRecordings(file);
    let code = 0;
    let tables = 0;
    for (const recording of recordings) {
      const { program, options } = jitInput(recording);
      const compiled = compileProgram(program, options);
      if (!compiled.ok) {
        t.comment(`${recording.prog}: ${compiled.failure.message}`);
        continue;
      }
      recording.functions.forEach((kernel, i) => {
        const ours = compiled.value[i]!;
        if (sameCode(ours, kernel)) code++;
        else t.comment(`code differs: ${recording.prog}, function ${i}`);
        if (sameTable(ours, kernel)) tables++;
        else t.comment(`exception table differs: ${recording.prog}, function ${i}`);
      });
    }
    t.equal(recordings.length, programs, 'accepted programs');
    t.equal(code, functions, 'functions with equal code');
    t.equal(tables, functions, 'functions with equal exception tables');
    t.end();
  });
}
