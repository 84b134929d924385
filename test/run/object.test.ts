/** `format: elf`: standard tools take the object, and linked with a C program it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { JitFunction, SymbolRef } from '../../src/compiler/jit/program.js';
import { ARM64 } from '../../src/compiler/jit/arm64/architecture.js';
import { writeObject } from '../../src/compiler/link/object/object.js';
import { OFFSETS } from '../jit/corpus.js';
import { assemble } from '../verify/assembler.js';

const TOOLS = 'aarch64-linux-gnu-';

function fn(name: string, lines: readonly string[], symbols: readonly (readonly [number, SymbolRef])[]): JitFunction {
  const instructions = assemble(lines);
  return {
    name,
    instructions,
    symbols: new Map(symbols),
    stackDepth: 16,
    original: new Int32Array(instructions.length),
    isSubprogram: name !== 'main_program',
    exceptionBoundary: false,
    exceptionCallback: false,
    tailCallReachable: false,
  };
}

/** Calls each kind of symbol: a map's value, the program's own function directly and by its address, a kernel function. */
function program(): JitFunction[] {
  const main = fn(
    'main_program',
    [
      'r6 = *(u64 *)(r1 +0)', // 0: made a load through a kernel pointer below
      'r1 = 0 ll', // 1: bpf_map_value.counts + 8
      'r2 = *(u64 *)(r1 +0)', // 3
      'r6 += r2',
      '*(u64 *)(r1 +0) = 77',
      'r1 = 3',
      'call pc+0', // 7: triple
      'r6 += r0',
      'r1 = func pc+0', // 9: triple
      'r2 = 10',
      'r3 = 20',
      'call bpf_x#0', // 13: for_each
      'r0 += r6',
      'exit',
    ],
    [
      [1, { kind: 'mapValue', index: 0, addend: 8 }],
      [7, { kind: 'function', index: 1 }],
      [9, { kind: 'function', index: 1 }],
      [13, { kind: 'kernel', name: 'for_each', addend: 0 }],
    ],
  );
  main.instructions.setOpcode(0, isa.LDX | isa.PROBE_MEM | isa.DW);
  return [main, fn('triple', ['r0 = r1', 'r0 *= 3', 'exit'], [])];
}

const directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-object-'));
tap.teardown(() => rmSync(directory, { recursive: true }));
const object = join(directory, 'program.o');

const compiled = compileProgram(
  { functions: program(), arenaMap: -1, type: 1 },
  { cpu: { lse: true, bti: true, pac: true }, offsets: OFFSETS, longJumps: true, link: null },
);
if (!compiled.ok) throw new Error(compiled.failure.message);
const functions = compiled.value.map((code, i) => ({
  ...code,
  lines: [{ offset: code.offsets[0]!, file: 'program.bpf.c', line: 12 + 10 * i, column: 3 }],
}));
writeFileSync(object, writeObject(ARM64, [{ name: 'main_program', functions, maps: [{ name: 'counts' }] }]));

/** Output of a binutils tool; a warning of it fails the test. */
function tool(t: Test, name: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(TOOLS + name, args, { encoding: 'utf8' });
  t.equal(status, 0, `${name} ${args[0]}`);
  t.equal(stderr, '', `${name} warns of nothing`);
  return stdout;
}

tap.test('readelf, objdump and addr2line understand it', (t) => {
  const elf = tool(t, 'readelf', '-aW', object);
  t.match(elf, /REL \(Relocatable file\)/);
  t.match(elf, /FUNC +GLOBAL +DEFAULT +1 main_program/);
  t.match(elf, /FUNC +LOCAL +DEFAULT +1 triple/);
  t.match(elf, /R_AARCH64_MOVW_UABS_G3 .*bpf_map_value\.counts \+ 8/);
  t.match(elf, /R_AARCH64_CALL26 .*triple \+ 0/);
  t.match(elf, /R_AARCH64_MOVW_UABS_G0_NC .*for_each \+ 0/);
  t.match(elf, /rela\.bpf_extable/);
  t.match(tool(t, 'objdump', '-dr', object), /<triple>:[^]*madd?|mul/);
  const start = functions[0]!.lines[0]!.offset;
  t.match(tool(t, 'addr2line', '-e', object, `0x${start.toString(16)}`), /program\.bpf\.c:12/);
  t.match(tool(t, 'ld', '-r', '-o', join(directory, 'again.o'), object), '');
  t.end();
});

tap.test('linked by ld, it runs', (t) => {
  const executable = join(directory, 'linked');
  const source = join(import.meta.dirname, 'linked.c');
  execFileSync(`${TOOLS}gcc`, ['-O1', '-static', '-Wall', '-Werror', '-o', executable, source, object]);
  const { stdout, signal } = spawnSync('qemu-aarch64', [executable], { encoding: 'utf8' });
  t.equal(signal, null);
  // number + values[1] + triple(3) + triple(10) + triple(20); then NULL in place of the number, and 77 stored before
  t.same(stdout.trim().split('\n').map(Number), [1000 + 8 + 9 + 90, 0 + 77 + 9 + 90, 77]);
  t.end();
});
