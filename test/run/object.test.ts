/** `format: elf`: standard tools take the object, and linked with a C program it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { compileProgram as compileArm64 } from '../../src/compiler/jit/arm64/jit.js';
import { ARM64 } from '../../src/compiler/jit/arm64/architecture.js';
import type { Architecture } from '../../src/compiler/jit/architecture.js';
import type { CompiledFunction, JitFunction, JitProgram, SymbolRef } from '../../src/compiler/jit/program.js';
import { S390X } from '../../src/compiler/jit/s390x/architecture.js';
import { compileProgram as compileS390x } from '../../src/compiler/jit/s390x/jit.js';
import type { Outcome } from '../../src/compiler/outcome.js';
import { X86_64 } from '../../src/compiler/jit/x86_64/architecture.js';
import { compileProgram as compileX86 } from '../../src/compiler/jit/x86_64/jit.js';
import { writeObject } from '../../src/compiler/link/object/object.js';
import { OFFSETS } from '../jit/corpus.js';
import { OFFSETS as S390X_OFFSETS } from '../jit/s390x/recordings.js';
import { KERNEL as X86_KERNEL, UNMITIGATED } from '../jit/x86_64/recordings.js';
import { assemble } from '../verify/assembler.js';
import { X86_64 as X86_64_MACHINE } from './machine.js';

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

/** An architecture, its binutils and emulator, and what its tools say of the object. */
interface Case {
  readonly architecture: Architecture;
  readonly tools: string;
  /** Null where the host runs it by itself. */
  readonly emulator: string | null;
  readonly compile: (program: JitProgram) => Outcome<readonly CompiledFunction[]>;
  readonly relocations: readonly RegExp[];
  readonly multiplication: RegExp;
}

const CASES: readonly Case[] = [
  {
    architecture: ARM64,
    tools: 'aarch64-linux-gnu-',
    emulator: 'qemu-aarch64',
    compile: (program) =>
      compileArm64(program, {
        cpu: { lse: true, bti: true, pac: true },
        offsets: OFFSETS,
        longJumps: true,
        link: null,
      }),
    relocations: [
      /R_AARCH64_MOVW_UABS_G3 .*bpf_map_value\.counts \+ 8/,
      /R_AARCH64_CALL26 .*triple \+ 0/,
      /R_AARCH64_MOVW_UABS_G0_NC .*for_each \+ 0/,
    ],
    multiplication: /<triple>:[^]*madd?|mul/,
  },
  {
    architecture: S390X,
    tools: 's390x-linux-gnu-',
    emulator: 'qemu-s390x',
    compile: (program) =>
      compileS390x(program, { cpu: { expolines: true }, offsets: S390X_OFFSETS, longJumps: true, link: null }),
    relocations: [
      /R_390_64 .*bpf_map_value\.counts \+ 8/,
      /R_390_64 .*triple \+ 0/,
      /R_390_64 .*for_each \+ 0/,
      /R_390_64 .*main_program \+ 6/,
    ],
    multiplication: /<triple>:[^]*msgfi\s+%r14,3/,
  },
  {
    architecture: X86_64,
    tools: 'x86_64-linux-gnu-',
    emulator: X86_64_MACHINE.emulator,
    compile: (program) =>
      compileX86(program, {
        ...X86_KERNEL,
        cpu: UNMITIGATED,
        userEnd: { hi: 0, lo: 0x1000 }, // a process has no other addresses than a user's
        countsItself: () => true,
        link: null,
      }),
    relocations: [
      /R_X86_64_64 .*bpf_map_value\.counts \+ 8/,
      /R_X86_64_PC32 .*triple - 4/,
      /R_X86_64_32S .*triple \+ 0/,
      /R_X86_64_PC32 .*for_each - 4/,
    ],
    multiplication: /<triple>:[^]*imul\s+\$0x3,%rax,%rax/,
  },
];

/** Output of a binutils tool; a warning of it fails the test. */
function run(t: Test, tool: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(tool, args, { encoding: 'utf8' });
  t.equal(status, 0, `${tool} ${args[0]}`);
  t.equal(stderr, '', `${tool} warns of nothing`);
  return stdout;
}

for (const { architecture, tools, emulator, compile, relocations, multiplication } of CASES) {
  const directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-object-'));
  tap.teardown(() => rmSync(directory, { recursive: true }));
  const object = join(directory, 'program.o');
  const compiled = compile({ functions: program(), arenaMap: -1, type: 1 });
  if (!compiled.ok) throw new Error(compiled.failure.message);
  const functions = compiled.value.map((code, i) => ({
    ...code,
    lines: [{ offset: code.offsets[0]!, file: 'program.bpf.c', line: 12 + 10 * i, column: 3 }],
  }));
  writeFileSync(object, writeObject(architecture, [{ name: 'main_program', functions, maps: [{ name: 'counts' }] }]));

  tap.test(`${architecture.name}: readelf, objdump and addr2line understand it`, (t) => {
    const elf = run(t, `${tools}readelf`, '-aW', object);
    t.match(elf, /REL \(Relocatable file\)/);
    t.match(elf, /FUNC +GLOBAL +DEFAULT +1 main_program/);
    t.match(elf, /FUNC +LOCAL +DEFAULT +1 triple/);
    for (const relocation of relocations) t.match(elf, relocation);
    t.match(elf, /rela\.bpf_extable/);
    t.match(run(t, `${tools}objdump`, '-dr', object), multiplication);
    const start = functions[0]!.lines[0]!.offset;
    t.match(run(t, `${tools}addr2line`, '-e', object, `0x${start.toString(16)}`), /program\.bpf\.c:12/);
    t.match(run(t, `${tools}ld`, '-r', '-o', join(directory, 'again.o'), object), '');
    t.end();
  });

  tap.test(`${architecture.name}: linked by ld, it runs`, (t) => {
    const executable = join(directory, 'linked');
    const source = join(import.meta.dirname, 'linked.c');
    execFileSync(`${tools}gcc`, ['-O1', '-static', '-Wall', '-Werror', '-o', executable, source, object]);
    const { stdout, signal } = spawnSync(emulator ?? executable, emulator === null ? [] : [executable], {
      encoding: 'utf8',
    });
    t.equal(signal, null);
    // number + values[1] + triple(3) + triple(10) + triple(20); then NULL in place of the number, and 77 stored before
    t.same(stdout.trim().split('\n').map(Number), [1000 + 8 + 9 + 90, 0 + 77 + 9 + 90, 77]);
    t.end();
  });
}
