/**
 * The JIT against the kernel's own code: every accepted program of the shared corpora, driven from the instructions that the kernel's JIT was
 * given. The corpora are not part of this repository; without them this test has nothing to say.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compileProgram } from '../../../src/compiler/jit/x86_64/jit.js';
import { compiledRecordings } from '../corpus.js';
import { comparable, kernelsOwn } from './comparable.js';
import { jitInput, MILAN, UNMITIGATED } from './recordings.js';

const CORPORA = process.env['BPF_JITD_CORPORA'] ?? join(import.meta.dirname, '../../../../shared/corpora');
/** Suite, the processor, its accepted programs and their functions; of those the ones that come out otherwise. */
const SUITES = [
  // A tail call into a slot of an array that libbpf had filled by the time it was recorded: the kernel had patched it.
  ['selftests', MILAN, 930, 1145, ['main 1']],
  ['tools', MILAN, 179, 204, []],
  ['test_verifier', MILAN, 130, 152, []],
  ['test_verifier61', MILAN, 352, 373, []],
  ['test_bpf', MILAN, 359, 359, []],
  ['test_bpf_mitigations_off', UNMITIGATED, 359, 359, []],
] as const;

for (const [suite, cpu, programs, functions, otherwise] of SUITES) {
  const file = join(CORPORA, 'linux-6.12-x86_64', suite, 'kernel.jsonl.gz');
  tap.test(suite, { skip: !existsSync(file) }, (t) => {
    const recordings = compiledRecordings(file);
    const differing: string[] = [];
    let compared = 0;
    for (const recording of recordings) {
      const { program, options } = jitInput(recording, cpu);
      const compiled = compileProgram(program, options);
      recording.functions.forEach((fn, i) => {
        const ours = compiled.ok ? comparable(compiled.value[i]!) : compiled.failure.message;
        if (JSON.stringify(ours) !== JSON.stringify(kernelsOwn(fn))) differing.push(`${recording.prog} ${i}`);
        compared++;
      });
    }
    t.equal(recordings.length, programs, 'accepted programs');
    t.equal(compared, functions, 'functions');
    t.same(differing, otherwise, 'functions of which code or exception table differ');
    t.end();
  });
}
