/** The verifier's benchmark beside this machine's own kernel; what needs that kernel is skipped where it may not be asked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeProgram } from '../../bench/host-kernel/describe.js';
import { HostKernel, lastWords, readStatistics } from '../../bench/host-kernel/host-kernel.js';
import { verifyHere } from '../../bench/verifier/ours.js';
import { rowText } from '../../bench/verifier/table.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import { LD_IMM64, PSEUDO_MAP_FD } from '../../src/compiler/isa/opcodes.js';
import { loadObject } from '../../src/compiler/load/object.js';
import { loadProfile } from '../../src/service/targets.js';

const profile = loadProfile('linux-6.12-arm64');
const TIMES = 2;

function read(object: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, '..', object));
}

void t.test("a program's description", (t) => {
  const describe = (object: string, name: string): string[][] => {
    const { program } = loadObject(read(object), profile, { programs: [name], legacyMaps: false }).programs[0]!;
    if (!program.ok) throw new Error(program.failure.message);
    return describeProgram(program.value, TIMES)
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
  };
  const [btf, ...described] = describe('objects/maps.o', 'entry');
  const program = described.pop()!;
  t.same([btf![0], btf![1]!.slice(0, 4)], ['btf', '9feb'], 'types come first');
  t.same(
    described.map(([word, name, type, , , , , , , , inner]) => [word, name, type, inner]),
    [
      ['map', 'outer.inner', '1', '-1'],
      ['map', 'outer', '12', '0'],
      ['map', 'jumps', '3', '-1'],
    ],
    'of its 10 maps those that it names, a template before its map',
  );
  const instructions = Instructions.from(Buffer.from(program[7]!, 'hex'));
  const maps: number[] = [];
  for (let i = 0; i < instructions.length; i++) {
    if (instructions.opcode(i) === LD_IMM64 && instructions.src(i) === PSEUDO_MAP_FD) maps.push(instructions.imm(i));
  }
  t.same([...new Set(maps)], [1, 2], 'instructions have the numbers of these');
  t.equal(program[6], Buffer.from('Dual BSD/GPL\0').toString('hex'));
  t.equal(program.at(-1), String(TIMES));
  t.end();
});

void t.test("the kernel's figures", (t) => {
  const log = (microseconds: number): string =>
    `verification time ${microseconds} usec\nstack depth 8\nprocessed 30 insns (limit 1000000) max_states_per_insn 1\n`;
  t.same(readStatistics(log(2500) + log(1500) + log(1750)), { milliseconds: 1.5, instructions: 30 });
  t.equal(lastWords(`func 'a' is fine\nR0 !read_ok\n; return r; @ a.c:1\n${log(1)}`), 'R0 !read_ok');
  t.equal(lastWords(log(1)), '');
  t.end();
});

void t.test('a line of the table', (t) => {
  const time = (instructions: number, milliseconds: number) =>
    ({ ok: true, value: { instructions, milliseconds } }) as const;
  const cells = (text: string): string[] => text.split(/\s+/);
  const row = { program: 'o/p', ours: time(2000, 3), host: time(1000, 2) };
  t.same(cells(rowText(row)), ['o/p', '2000', '3.0', '667', '|', '1000', '2.0', '500', '|', '1.50', '0.75']);
  const refused = { ...row, host: { ok: false, reason: 'BPF_PROG_LOAD: Permission denied' } as const };
  t.same(cells(rowText(refused)), ['o/p', '2000', '3.0', '667', '|', 'BPF_PROG_LOAD:', 'Permission', 'denied']);
  t.same(cells(rowText({ ...row, host: null })), ['o/p', '2000', '3.0', '667']);
  t.end();
});

function checkHost(t: Test, host: HostKernel): void {
  const taken = [
    ['objects/xdp_count.o', 'xdp_main', 'a map'],
    ['objects/maps.o', 'entry', 'a map of maps'],
    ['objects/core.o', 'enums', 'types of the kernel'],
    ['objects/functions.o', 'nested', 'functions'],
    ['golden/verify/formats.o', 'integers', 'constants of a frozen map'],
  ] as const;
  for (const [object, name, what] of taken) {
    const elf = read(object);
    const theirs = host.verify(elf, name, TIMES);
    if (!theirs.ok) {
      t.fail(`${what}: ${theirs.reason}`);
      continue;
    }
    const ours = verifyHere(elf, name, profile, TIMES);
    t.ok(ours.ok && theirs.value.instructions === ours.value.instructions, `${what}: as many instructions`);
    t.ok(theirs.value.milliseconds > 0, `${what}: a time`);
  }
  const refused = host.verify(read('objects/bare.o'), 'program', TIMES);
  const reason = 'BPF_PROG_LOAD: Permission denied: invalid bpf_context access off=4096 size=4';
  t.same(refused, { ok: false, reason }, "a refusal, in the kernel's words");
  t.match(host.verify(read('objects/bare.o'), 'none', 1), { ok: false, reason: /not found/ }, 'our own refusal');
}

void t.test('the host kernel', (t) => {
  const host = HostKernel.open(profile);
  if (!host.ok) {
    t.match(host.reason, /^.+$/, 'the reason is one line');
    t.comment(`not asked: ${host.reason}`);
    t.end();
    return;
  }
  checkHost(t, host.value);
  host.value.close();
  t.end();
});
