/**
 * From C to a running program: test/objects/iter_tasks.c, which writes task->mm->total_vm, loaded, verified, compiled and
 * linked, then run on tasks of our making. A task without memory of its own (a kernel thread) has mm == NULL, and counts 0.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compile } from '../../src/compiler/compile.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { memberOffset } from '../../src/compiler/btf/member-offset.js';
import { loadProfile } from '../../src/service/targets.js';
import { Batch, Machine } from './machine.js';
import { CALL_BASE, CODE, REGION, REGION_BYTES } from './recorded.js';

const MEMORY = 0x60_0000_0000;
const PAGE = 0x1000;
const SEQ_WRITE = CALL_BASE + 0x1000;

const profile = loadProfile('linux-6.12-arm64');
/** The kernel keeps such loads off user addresses, and a process has no others: without that guard. */
const unguarded: Profile = Object.create(profile, { userLimit: { value: [0, 0] } }) as Profile;

const answer = compile(
  {
    object: new Uint8Array(readFileSync(join(import.meta.dirname, '../objects/iter_tasks.o'))),
    programs: ['dump_task'],
    program: null,
    cpu: {},
    logLevel: 1,
    legacyMaps: false,
    link: {
      functions: [BigInt(CODE)],
      maps: new Map(),
      symbols: new Map([
        ['__bpf_call_base', BigInt(CALL_BASE)],
        ['bpf_seq_write', BigInt(SEQ_WRITE)],
      ]),
      programAux: 0n,
    },
  },
  unguarded,
);

tap.test('total_vm of a task with and without mm', (t) => {
  const program = answer.programs[0]!;
  t.equal(program.accepted, true, program.log);
  const fn = { ...program.functions[0]!, offsets: new Uint32Array(0) };
  t.ok(fn.exceptionTable.length > 0, 'loads that may fault');
  t.same(fn.relocations, [], 'linked');

  const { btf } = profile;
  const [context, meta, task, mm] = [MEMORY, MEMORY + 0x100, MEMORY + PAGE, MEMORY + 4 * PAGE];
  const mmField = task + memberOffset(btf, 'task_struct', 'mm');
  const machine = new Machine();
  t.teardown(() => machine.close());
  const ran = machine.run(
    new Batch()
      .map(REGION, REGION_BYTES)
      .map(MEMORY, 8 * PAGE)
      .standIn(SEQ_WRITE, 'seq_write')
      .load(CODE, fn)
      .writeWord(context, meta)
      .writeWord(context + 8, task)
      .write(task + memberOffset(btf, 'task_struct', 'pid'), Uint8Array.of(42, 0, 0, 0))
      .writeWord(mm + memberOffset(btf, 'mm_struct', 'total_vm'), 4321)
      .run(CODE, context) // mm is NULL
      .writeWord(mmField, mm)
      .run(CODE, context)
      .writeWord(mmField, 0x61_0000_0000) // stale: not mapped
      .run(CODE, context),
  );
  t.same(ran.signal, null);
  t.same(ran.written, [
    [42, 0],
    [42, 4321],
    [42, 0],
  ]);
  t.end();
});
