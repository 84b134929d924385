/** The JIT against the kernel's code for programs of our own (test/golden/record asks the kernel again). */
import tap from 'tap';
import type { CompiledFunction } from '../../../src/compiler/jit/program.js';
import { compileProgram } from '../../../src/compiler/jit/s390x/jit.js';
import { goldenNames, readGolden, type GoldenFunction } from '../../golden/golden.js';
import { readKernelFunctions } from '../../golden/kernel-functions.js';
import { CALL_BASE, jitFunction, jitInput, OFFSETS, parseAddress } from './recordings.js';
import { digest, FAR_PROGRAMS, HELPER, readRecorded } from './far-programs.js';

/** Where the kernel's table lies, from its first entry's relative reference. */
function tableOffset(fn: GoldenFunction): number {
  const first = fn.exceptionTable[0];
  return first === undefined ? 0 : first.offset - Buffer.from(first.raw, 'hex').readInt32BE(0);
}

function ours(fn: CompiledFunction): object {
  return {
    code: Buffer.from(fn.code).toString('hex'),
    table: fn.exceptionTable.map(({ offset, resume, register, registerName, raw }) => ({
      offset,
      resume,
      register: registerName === '' ? -1 : register,
      raw: Buffer.from(raw).toString('hex'),
    })),
    tableOffset: fn.exceptionTableOffset,
  };
}

const called = readKernelFunctions('rewrite-s390x');
/** Its call goes to another function than its id says, which the program's type decides (rewrite/fixups/kernel-functions.ts). */
const OTHER_VARIANT = 'packet_read_only';

for (const folder of ['jit-s390x', 'rewrite-s390x']) {
  for (const name of goldenNames(folder)) {
    tap.test(`${folder}/${name}`, (t) => {
      for (const record of readGolden(folder, name)) {
        if (record.errno !== 0 || record.program === OTHER_VARIANT) continue;
        const { program, options } = jitInput(record, called);
        const compiled = compileProgram(program, options);
        const kernel = record.functions.map((fn) => ({
          code: fn.code,
          table: fn.exceptionTable,
          tableOffset: tableOffset(fn),
        }));
        t.same(compiled.ok ? compiled.value.map(ours) : compiled.failure, kernel, record.program);
      }
      t.end();
    });
  }
}

tap.test('branches and literals at the end of their reach', (t) => {
  const recorded = readRecorded();
  for (const { name, insns } of FAR_PROGRAMS) {
    const { address, digest: expected } = recorded[name]!;
    for (const slot of [0, 2]) insns.setImm(slot, HELPER);
    const link = { functions: [parseAddress(address)], callBase: CALL_BASE, arena: null, symbol: () => null };
    const compiled = compileProgram(
      { functions: [jitFunction(insns)], arenaMap: -1, type: 1 },
      { cpu: { expolines: false }, offsets: OFFSETS, longJumps: true, link },
    );
    if (!compiled.ok) throw new Error(compiled.failure.message);
    t.equal(digest(compiled.value[0]!.code), expected, name);
  }
  t.end();
});
