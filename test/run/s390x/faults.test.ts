/** Accesses that fault on s390x, run: the exception table's entries do what the kernel's do, and nothing else is forgiven. */
import tap from 'tap';
import type { Instructions } from '../../../src/compiler/isa/instructions.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { addressOf } from '../../../src/compiler/jit/address.js';
import type { CompiledFunction } from '../../../src/compiler/jit/program.js';
import { compileProgram } from '../../../src/compiler/jit/s390x/jit.js';
import { jitFunction, OFFSETS } from '../../jit/s390x/recordings.js';
import { assemble } from '../../verify/assembler.js';
import { Machine, S390X, type Batch } from '../machine.js';
import { probed } from '../probed.js';
import { CALL_BASE, CODE, REGION, REGION_BYTES } from '../recorded.js';

const MEMORY = 0x60_0000_0000;
const PAGE = 0x1000;
/** Mapped nowhere. */
const UNMAPPED = 0x61_0000_0000;

const machine = new Machine(S390X);
tap.teardown(() => machine.close());

function compiled(instructions: Instructions, address: number, arena = 0): CompiledFunction {
  const link = {
    functions: [addressOf(BigInt(address))],
    callBase: addressOf(BigInt(CALL_BASE)),
    arena: arena === 0 ? null : { kernel: addressOf(BigInt(arena)), user: addressOf(0x7700_0000_0000n) },
    symbol: () => null,
  };
  const result = compileProgram(
    { functions: [jitFunction(instructions)], arenaMap: arena === 0 ? -1 : 0, type: 1 },
    { cpu: { expolines: false }, offsets: OFFSETS, longJumps: true, link },
  );
  if (!result.ok) throw new Error(result.failure.message);
  return result.value[0]!;
}

const memory = (): Batch => machine.batch().map(REGION, REGION_BYTES).map(MEMORY, PAGE);

tap.test('loads from NULL, unmapped and valid pointers', (t) => {
  const loads: readonly (readonly [string, bigint])[] = [
    ['u64', 0xfedcba9876543210n],
    ['u32', 0xfedcba98n],
    ['u16', 0xfedcn],
    ['u8', 0xfen],
    ['s32', 0xffff_ffff_fedc_ba98n],
    ['s16', 0xffff_ffff_ffff_fedcn],
    ['s8', 0xffff_ffff_ffff_fffen],
  ];
  const batch = memory().writeWord(MEMORY + 16, 0xfedcba9876543210n);
  const pointers = [0, UNMAPPED, MEMORY];
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
    t.same(results.slice(k * 3, k * 3 + 3), [0n, 0n, value], `${type}: 0, 0 and the value`);
  });
  t.end();
});

tap.test('two levels: task->mm->total_vm', (t) => {
  const lines = ['r1 = *(u64 *)(r1 +1416)', 'r0 = *(u64 *)(r1 +248)', 'exit'];
  const mm = MEMORY + 0x800;
  const batch = memory()
    .writeWord(mm + 248, 1234)
    .load(CODE, compiled(probed(assemble(lines), false), CODE))
    .run(CODE, MEMORY) // a kernel thread's: no mm
    .writeWord(MEMORY + 1416, mm)
    .run(CODE, MEMORY)
    .run(CODE, 0);
  t.same(machine.run(batch).results, [0n, 1234n, 0n]);
  t.end();
});

tap.test('an arena: what is not mapped reads as 0, and swallows stores', (t) => {
  const access = ['*(u64 *)(r1 +8) = 5', 'r6 = 9', 'lock *(u64 *)(r1 +8) += r6', '*(u32 *)(r1 +16) = r6'];
  const lines = [...access, 'r7 = 3', 'r7 = *(u64 *)(r1 +8)', 'r0 = r7', 'exit'];
  const fn = compiled(probed(assemble(lines), true), CODE, MEMORY);
  t.equal(fn.exceptionTable.length, 2 * 4);
  const batch = memory()
    .load(CODE, fn)
    .run(CODE, 0)
    .run(CODE, 2 * PAGE)
    .peek(MEMORY + 8)
    .peek(MEMORY + 16);
  t.same(machine.run(batch), { results: [14n, 0n, 14n, 9n << 32n], written: [], signal: null });
  t.end();
});

tap.test('an exchange in an arena: both its accesses go on behind it', (t) => {
  const lines = ['r6 = 5', 'r6 = atomic64_xchg((u64 *)(r1 +8), r6)', 'r0 = r6', 'exit'];
  const fn = compiled(probed(assemble(lines), true), CODE, MEMORY);
  t.equal(fn.exceptionTable.length, 2 * 2);
  const batch = memory()
    .writeWord(MEMORY + 8, 42)
    .load(CODE, fn)
    .run(CODE, 0)
    .run(CODE, 2 * PAGE)
    .peek(MEMORY + 8);
  t.same(machine.run(batch).results, [42n, 5n, 5n]);
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
