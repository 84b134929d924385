/** Accesses that fault, run: the exception table's entries do what the kernel's do, and nothing else is forgiven. */
import tap from 'tap';
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { addressOf } from '../../src/compiler/jit/address.js';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import type { CompiledFunction } from '../../src/compiler/jit/program.js';
import { OFFSETS } from '../jit/corpus.js';
import { assemble } from '../verify/assembler.js';
import { Batch, Machine } from './machine.js';
import { probed } from './probed.js';
import { CALL_BASE, CODE, REGION, REGION_BYTES } from './recorded.js';

const MEMORY = 0x60_0000_0000;
const PAGE = 0x1000;
/** Mapped nowhere. */
const UNMAPPED = 0x61_0000_0000;
/** Not even an address a process could have: the kernel's half. */
const KERNEL = 0xffff_8000_1234_5678n;

const machine = new Machine();
tap.teardown(() => machine.close());

function compiled(instructions: Instructions, address: number, arena = 0): CompiledFunction {
  const fn = {
    name: 'main',
    instructions,
    symbols: new Map(),
    stackDepth: 0,
    original: new Int32Array(instructions.length),
    isSubprogram: false,
    exceptionBoundary: false,
    exceptionCallback: false,
    tailCallReachable: false,
  };
  const result = compileProgram(
    { functions: [fn], arenaMap: arena === 0 ? -1 : 0, type: 1 },
    {
      cpu: { lse: true, bti: false, pac: true },
      offsets: OFFSETS,
      longJumps: true,
      link: {
        functions: [addressOf(BigInt(address))],
        callBase: addressOf(BigInt(CALL_BASE)),
        arena: arena === 0 ? null : { kernel: addressOf(BigInt(arena)), user: addressOf(0x7700_0000_0000n) },
      },
    },
  );
  if (!result.ok) throw new Error(result.failure.message);
  return result.value[0]!;
}

const memory = (): Batch => new Batch().map(REGION, REGION_BYTES).map(MEMORY, PAGE);

tap.test('loads from NULL, unmapped, kernel and valid pointers', (t) => {
  const loads: readonly (readonly [string, bigint])[] = [
    ['u64', 0xfedcba9876543210n],
    ['u32', 0x76543210n],
    ['u16', 0x3210n],
    ['u8', 0x10n],
    ['s32', 0x76543210n],
    ['s16', 0x3210n],
    ['s8', 0x10n],
  ];
  const batch = memory().writeWord(MEMORY + 16, 0xfedcba9876543210n);
  const pointers = [0, UNMAPPED, KERNEL, MEMORY];
  loads.forEach(([type], k) => {
    const at = CODE + k * PAGE;
    // The result's register holds something else before: it is the table that zeroes it.
    const lines = ['r6 = 77', `r6 = *(${type} *)(r1 +16)`, 'r0 = r6', 'exit'];
    batch.load(at, compiled(probed(assemble(lines), false), at));
    for (const pointer of pointers) batch.run(at, pointer);
  });
  const { results, signal } = machine.run(batch);
  t.equal(signal, null);
  loads.forEach(([type, value], k) => {
    t.same(results.slice(k * 4, k * 4 + 4), [0n, 0n, 0n, value], `${type}: 0, 0, 0 and the value`);
  });
  t.end();
});

tap.test('a far offset goes through a register, and faults as well', (t) => {
  const lines = ['r7 = *(u64 *)(r1 -8)', 'r0 = r7', 'exit'];
  const batch = memory()
    .writeWord(MEMORY + 8, 42)
    .load(CODE, compiled(probed(assemble(lines), false), CODE));
  const { results } = machine.run(batch.run(CODE, 0).run(CODE, MEMORY + 16));
  t.same(results, [0n, 42n]);
  t.end();
});

tap.test('two levels: task->mm->total_vm', (t) => {
  const lines = ['r1 = *(u64 *)(r1 +1416)', 'r0 = *(u64 *)(r1 +248)', 'exit'];
  const task = MEMORY;
  const mm = MEMORY + 0x800;
  const batch = memory()
    .writeWord(mm + 248, 1234)
    .load(CODE, compiled(probed(assemble(lines), false), CODE))
    .run(CODE, task) // a kernel thread's: no mm
    .writeWord(task + 1416, mm)
    .run(CODE, task)
    .run(CODE, 0);
  t.same(machine.run(batch).results, [0n, 1234n, 0n]);
  t.end();
});

tap.test('an arena: what is not mapped reads as 0, and swallows stores', (t) => {
  const access = ['*(u64 *)(r1 +8) = 5', 'r6 = 9', 'lock *(u64 *)(r1 +8) += r6', '*(u32 *)(r1 +16) = r6'];
  const lines = [...access, 'r7 = 3', 'r7 = *(u64 *)(r1 +8)', 'r0 = r7', 'exit'];
  const fn = compiled(probed(assemble(lines), true), CODE, MEMORY);
  t.equal(fn.exceptionTable.length, 4);
  const batch = memory()
    .load(CODE, fn)
    .run(CODE, 0)
    .run(CODE, 2 * PAGE)
    .peek(MEMORY + 8)
    .peek(MEMORY + 16);
  t.same(machine.run(batch), { results: [14n, 0n, 14n, 9n], written: [], signal: null });
  t.end();
});

tap.test('a pointer into the arena becomes one of the user', (t) => {
  const insns = assemble(['r2 = r1', 'r0 = r2', 'exit']);
  insns.setOff(0, isa.ADDR_SPACE_CAST);
  insns.setImm(0, 1 << 16);
  const batch = memory().load(CODE, compiled(insns, CODE, MEMORY));
  const { results } = machine.run(batch.run(CODE, 0x9999_0000_1230n).run(CODE, 0));
  t.same(results, [0x7700_0000_1230n, 0n], 'NULL stays NULL');
  t.end();
});

tap.test('a fault outside the table kills', (t) => {
  const plain = compiled(assemble(['r0 = *(u64 *)(r1 +0)', 'exit']), CODE);
  t.same(plain.exceptionTable, []);
  const killed = machine.run(memory().load(CODE, plain).run(CODE, MEMORY).run(CODE, 0));
  t.same(killed, { results: [0n], written: [], signal: 'SIGSEGV' });

  const forgiven = compiled(probed(assemble(['r0 = *(u64 *)(r1 +0)', 'exit']), false), CODE);
  const forgotten = memory().load(CODE, forgiven).run(CODE, 0).forgetTables().run(CODE, 0);
  t.same(machine.run(forgotten), { results: [0n], written: [], signal: 'SIGSEGV' }, 'without its table');
  t.end();
});
