/**
 * The JIT against the kernel's code for programs of our own (test/golden/record asks the kernel again), on a CPU with every
 * feature and on one of Armv8.0.
 */
import tap from 'tap';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { CompiledFunction } from '../../src/compiler/jit/program.js';
import { goldenNames, readGolden, type GoldenFunction, type GoldenRecord } from '../golden/golden.js';
import { jitInput, type CompiledRecording } from './corpus.js';

/** The kernel is built with CONFIG_ARM64_PTR_AUTH_KERNEL and without CONFIG_ARM64_BTI_KERNEL, whatever the CPU has. */
const FOLDERS = [
  ['rewrite', { lse: true, bti: false, pac: true }],
  ['jit', { lse: true, bti: false, pac: true }],
  ['jit-armv8.0', { lse: false, bti: false, pac: true }],
] as const;

/** Where the kernel's table lies, from its first entry's relative reference. */
function tableOffset(fn: GoldenFunction): number {
  const first = fn.exceptionTable[0];
  return first === undefined ? 0 : first.offset - Buffer.from(first.raw, 'hex').readInt32LE(0);
}

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

function comparable(fn: CompiledFunction): object {
  return {
    code: Buffer.from(fn.code).toString('hex'),
    table: fn.exceptionTable.map(({ offset, resume, register, raw }) => ({
      offset,
      resume,
      register,
      raw: Buffer.from(raw.subarray(0, 10)).toString('hex'),
    })),
    tableOffset: fn.exceptionTableOffset,
  };
}

for (const [folder, cpu] of FOLDERS) {
  for (const name of goldenNames(folder)) {
    tap.test(`${folder}/${name}`, (t) => {
      for (const record of readGolden(folder, name).filter((r) => r.errno === 0)) {
        const { program, options } = jitInput(asRecording(record), cpu);
        const compiled = compileProgram(program, options);
        const ours = compiled.ok ? compiled.value.map(comparable) : compiled.failure;
        const kernel = record.functions.map((fn) => ({
          code: fn.code,
          table: fn.exceptionTable,
          tableOffset: tableOffset(fn),
        }));
        t.same(ours, kernel, record.program);
      }
      t.end();
    });
  }
}
