/**
 * The JIT against the kernel's code for programs of our own (test/golden/record asks the kernel again), on the oracle's processor and on
 * machines with other features and mitigations.
 */
import tap from 'tap';
import { compileProgram } from '../../../src/compiler/jit/x86_64/jit.js';
import { goldenNames, readGolden, type GoldenFunction, type GoldenRecord } from '../../golden/golden.js';
import type { CompiledRecording } from '../corpus.js';
import { comparable, type Comparable } from './comparable.js';
import { jitInput, MILAN, NEHALEM, SKYLAKE, UNMITIGATED } from './recordings.js';

const FOLDERS = [
  ['jit-x86_64', MILAN],
  ['rewrite-x86_64', MILAN],
  // Jumps each of which gets short once the next one is, a walk later: chains that come to rest, and ones that end in NOPs.
  ['layout-x86_64', MILAN],
  ['jit-nehalem', NEHALEM],
  ['jit-unmitigated', UNMITIGATED],
  ['jit-skylake', SKYLAKE],
] as const;

/** The golden record in the shared corpora's form. */
function asRecording(record: GoldenRecord): CompiledRecording {
  return {
    prog: record.program,
    type: record.type,
    err: record.errno,
    arena: record.maps.find((m) => m.kernelAddress !== '0') ?? null,
    functions: record.functions.map((fn) => ({
      address: fn.address,
      code: fn.code,
      extable: fn.exceptionTable,
      stack_depth: fn.stackDepth,
      jit_input: fn.jitInput,
    })),
  };
}

function kernels(fn: GoldenFunction): Comparable {
  const [first] = fn.exceptionTable;
  return {
    code: fn.code,
    table: fn.exceptionTable.map(({ offset, resume, register, raw }) => [
      offset,
      resume,
      register < 0 ? null : register,
      raw,
    ]),
    tableOffset: first === undefined ? 0 : first.offset - Buffer.from(first.raw, 'hex').readInt32LE(0),
  };
}

for (const [folder, cpu] of FOLDERS) {
  for (const name of goldenNames(folder)) {
    tap.test(`${folder}/${name}`, (t) => {
      const records = readGolden(folder, name).filter((r) => r.errno === 0);
      t.ok(records.length > 0, 'there are programs');
      for (const record of records) {
        const { program, options } = jitInput(asRecording(record), cpu);
        const compiled = compileProgram(program, options);
        t.same(
          compiled.ok ? compiled.value.map(comparable) : compiled.failure,
          record.functions.map(kernels),
          record.program,
        );
      }
      t.end();
    });
  }
}
