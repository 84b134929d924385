/** A listing: machine code with the BPF instructions and source lines that it comes from. */
import { Capstone, Const, loadCapstone } from 'capstone-wasm';
import tap from 'tap';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { JitFunction } from '../../src/compiler/jit/program.js';
import { ARM64 } from '../../src/compiler/jit/arm64/architecture.js';
import { cutCode } from '../../src/compiler/link/machine-code.js';
import { listCode, listInstructions } from '../../src/compiler/link/listing.js';
import { OFFSETS } from '../jit/corpus.js';
import { assemble } from '../verify/assembler.js';

await loadCapstone();
const capstone = new Capstone(Const['CS_ARCH_ARM64']!, Const['CS_MODE_LITTLE_ENDIAN']!);
tap.teardown(() => capstone.close());

tap.test('code beside what it comes from', (t) => {
  const instructions = assemble([
    'r1 = *(u64 *)(r1 +16)',
    'r2 = 0 ll',
    'call bpf_x#0',
    'if r0 == 0 goto pc+1',
    'r0 = 7',
    'exit',
  ]);
  instructions.setOpcode(0, isa.LDX | isa.PROBE_MEM | isa.DW);
  const fn: JitFunction = {
    name: 'main',
    instructions,
    symbols: new Map([
      [1, { kind: 'mapValue', index: 0, addend: 8 }],
      [3, { kind: 'kernel', name: 'bpf_ktime_get_ns', addend: 0 }],
    ]),
    stackDepth: 0,
    original: new Int32Array(instructions.length),
    isSubprogram: false,
    exceptionBoundary: false,
    exceptionCallback: false,
    tailCallReachable: false,
  };
  const cpu = { lse: true, bti: false, pac: true };
  const compiled = compileProgram(
    { functions: [fn], arenaMap: -1, type: 1 },
    { cpu, offsets: OFFSETS, longJumps: true, link: null },
  );
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const code = compiled.value[0]!;
  const lines = [{ offset: code.offsets[0]!, file: 'a.c', line: 5, text: 'p->next' }];
  const rows = listCode(
    code,
    cutCode(code.code, ARM64, capstone),
    listInstructions(fn, code, [{ name: 'counts' }]),
    lines,
  );

  t.equal(rows.length, code.code.length / 4, 'every word');
  t.equal(rows[0]!.text, 'add x9, x30, #0');
  const load = rows.find((row) => row.exception !== null)!;
  t.match(load, {
    text: 'ldr x0, [x0, #0x10]',
    source: 'a.c:5 p->next',
    exception: { register: 0, registerName: 'x0' },
  });
  t.same(
    load.instructions.map((one) => one.text),
    ['r1 = *(u64 *)(r1 +16)'],
  );
  t.same(
    rows.flatMap((row) => row.instructions.map((one) => `${one.slot} ${one.text}`)),
    [
      '0 r1 = *(u64 *)(r1 +16)',
      '1 r2 = bpf_map_value.counts+8',
      '3 call bpf_ktime_get_ns',
      '4 if r0 == 0x0 goto pc+1',
      '5 r0 = 7',
      '6 exit',
    ],
  );
  t.end();
});
