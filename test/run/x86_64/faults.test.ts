/** Accesses that fault, run on x86-64: the exception table's entries do what the kernel's do, and nothing else is forgiven. */
import tap from 'tap';
import type { Instructions } from '../../../src/compiler/isa/instructions.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { addressOf } from '../../../src/compiler/jit/address.js';
import type { CompiledFunction } from '../../../src/compiler/jit/program.js';
import { userEnd } from '../../../src/compiler/jit/x86_64/cpu.js';
import { compileProgram } from '../../../src/compiler/jit/x86_64/jit.js';
import { KERNEL, UNMITIGATED } from '../../jit/x86_64/recordings.js';
import { assemble } from '../../verify/assembler.js';
import { Batch, Machine, X86_64 } from '../machine.js';
import { probed } from '../probed.js';
import { CALL_BASE, CODE, REGION, REGION_BYTES } from '../recorded.js';

const MEMORY = 0x60_0000_0000;
const PAGE = 0x1000;
/** Mapped nowhere. */
const UNMAPPED = 0x61_0000_0000;
/** The kernel's half, and no address at all. */
const KERNELS = 0xffff_8881_1234_5678n;
const NOT_CANONICAL = 0x1234_5678_9abc_def0n;
/** In place of the end of user addresses, which are all that a process has: a page, so that their loads get past the guard. */
const NEAR = { hi: 0, lo: PAGE };

const machine = new Machine(X86_64);
tap.teardown(() => machine.close());

function compiled(instructions: Instructions, { arena = 0, end = NEAR, at = CODE } = {}): CompiledFunction {
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
  const link = {
    functions: [addressOf(BigInt(at))],
    callBase: addressOf(BigInt(CALL_BASE)),
    arena: arena === 0 ? null : { kernel: addressOf(BigInt(arena)), user: addressOf(0x7700_0000_0000n) },
    symbol: () => null,
  };
  const result = compileProgram(
    { functions: [fn], arenaMap: arena === 0 ? -1 : 0, type: 1 },
    { ...KERNEL, cpu: UNMITIGATED, userEnd: end, countsItself: () => true, link },
  );
  if (!result.ok) throw new Error(result.failure.message);
  return result.value[0]!;
}

const memory = (): Batch => new Batch().map(REGION, REGION_BYTES).map(MEMORY, PAGE);

tap.test('loads from NULL, unmapped, kernel, invalid and valid pointers', (t) => {
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
  const pointers = [0, UNMAPPED, KERNELS, NOT_CANONICAL, MEMORY];
  const registers = [6, 3, 8];
  const cases = loads.flatMap(([type, value]) => registers.map((register) => ({ type, value, register })));
  cases.forEach(({ type, register }, k) => {
    const at = CODE + k * PAGE;
    // The result's register holds something else before: it is the table that zeroes it.
    const lines = [`r${register} = 77`, `r${register} = *(${type} *)(r1 +16)`, `r0 = r${register}`, 'exit'];
    batch.load(at, compiled(probed(assemble(lines), false), { at }));
    for (const pointer of pointers) batch.run(at, pointer);
  });
  const { results, signal } = machine.run(batch);
  t.equal(signal, null);
  cases.forEach(({ type, value, register }, k) => {
    const answers = results.slice(k * pointers.length, (k + 1) * pointers.length);
    t.same(answers, [0n, 0n, 0n, 0n, value], `${type} into r${register}: 0 four times and the value`);
  });
  t.end();
});

tap.test('the guard keeps loads off user addresses, without a fault', (t) => {
  const instructions = probed(assemble(['r0 = 5', 'r0 = *(u64 *)(r1 +8)', 'exit']), false);
  const batch = memory()
    .writeWord(MEMORY + 8, 42)
    .forgetTables();
  const ends = [userEnd(false), userEnd(true), NEAR];
  ends.forEach((end, k) => {
    const at = CODE + k * PAGE;
    batch.write(at, compiled(instructions, { end, at }).code).run(at, MEMORY);
  });
  t.same(machine.run(batch), { results: [0n, 0n, 42n], written: [], signal: null });
  t.end();
});

tap.test('two levels: task->mm->total_vm', (t) => {
  const lines = ['r1 = *(u64 *)(r1 +1416)', 'r0 = *(u64 *)(r1 +248)', 'exit'];
  const task = MEMORY;
  const mm = MEMORY + 0x800;
  const batch = memory()
    .writeWord(mm + 248, 1234)
    .load(CODE, compiled(probed(assemble(lines), false)))
    .run(CODE, task) // a kernel thread's: no mm
    .writeWord(task + 1416, mm)
    .run(CODE, task)
    .writeWord(task + 1416, UNMAPPED)
    .run(CODE, task)
    .run(CODE, 0);
  t.same(machine.run(batch).results, [0n, 1234n, 0n, 0n]);
  t.end();
});

tap.test('an arena: what is not mapped reads as 0, and swallows stores', (t) => {
  const access = ['*(u64 *)(r1 +8) = 5', 'r6 = 9', 'lock *(u64 *)(r1 +8) += r6', '*(u32 *)(r1 +16) = r6'];
  const lines = [...access, 'r7 = 3', 'r7 = *(u64 *)(r1 +8)', 'r0 = r7', 'exit'];
  const fn = compiled(probed(assemble(lines), true), { arena: MEMORY });
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
  const batch = memory();
  // By RAX, which has forms of its own, and by others; from another register and in place.
  const cases = [
    ['r2 = r1', 'r0 = r2', 'exit'],
    ['r0 = r1', 'exit'],
    ['r1 = r1', 'r0 = r1', 'exit'],
  ];
  cases.forEach((lines, k) => {
    const at = CODE + k * PAGE;
    const insns = assemble(lines);
    insns.setOff(0, isa.ADDR_SPACE_CAST);
    insns.setImm(0, 1 << 16);
    batch
      .load(at, compiled(insns, { arena: MEMORY, at }))
      .run(at, 0x9999_0000_1230n)
      .run(at, 0);
  });
  const { results } = machine.run(batch);
  t.same(results, [0x7700_0000_1230n, 0n, 0x7700_0000_1230n, 0n, 0x7700_0000_1230n, 0n], 'NULL stays NULL');
  t.end();
});

tap.test('a fault outside the table kills', (t) => {
  const plain = compiled(assemble(['r0 = *(u64 *)(r1 +0)', 'exit']));
  t.same(plain.exceptionTable, []);
  const killed = machine.run(memory().load(CODE, plain).run(CODE, MEMORY).run(CODE, 0));
  t.same(killed, { results: [0n], written: [], signal: 'SIGSEGV' });

  const forgiven = compiled(probed(assemble(['r0 = *(u64 *)(r1 +0)', 'exit']), false));
  const forgotten = memory().load(CODE, forgiven).run(CODE, UNMAPPED).forgetTables().run(CODE, UNMAPPED);
  t.same(machine.run(forgotten), { results: [0n], written: [], signal: 'SIGSEGV' }, 'without its table');
  t.end();
});
