/**
 * Objects of ours (test/objects) against what libbpf 1.5 made of them and a real kernel said: instructions, maps, types,
 * refusals in libbpf's words. To record again: tsx test/objects/record.ts
 */
import t, { type Test } from 'tap';
import type { Failure } from '../../src/compiler/outcome.js';
import { loadObject, type LoadedProgram } from '../../src/compiler/load/object.js';
import { explainLog, POISON_KFUNC_BASE, POISON_MAP_BASE } from '../../src/compiler/load/explain-log.js';
import { loadProfile } from '../../src/service/targets.js';
import { maskInstructions, readGolden, readObjectFile, type GoldenProgram } from '../objects/golden.js';

const profile = await loadProfile('linux-6.12-arm64');
const EBADF = -9;

function load(golden: GoldenProgram): ReturnType<typeof loadObject> {
  const programs = golden.program === '' ? [] : [golden.program];
  return loadObject(readObjectFile(golden.object), profile, { programs, legacyMaps: false });
}

/** The recorder gives maps without a size one entry, and ring buffers a page: as the loader does. */
function mapText(map: { name: string; type: number; keySize: number; valueSize: number; maxEntries: number }): string {
  const { name, type, keySize, valueSize, maxEntries } = map;
  return `${name}: type ${type}, key ${keySize}, value ${valueSize}, entries ${maxEntries}`;
}

/** What libbpf says first of a refusal. */
function firstWarning(golden: GoldenProgram): string {
  const warnings = golden.libbpf.filter((line) => !/ skipping /.test(line)); // which refuses nothing
  return (warnings[0] ?? '').replace(/^libbpf: /, '');
}

function checkLoaded(t: Test, loaded: LoadedProgram, golden: GoldenProgram): void {
  if (!loaded.program.ok) {
    t.fail(loaded.program.failure.message);
    return;
  }
  const { instructions, type } = loaded.program.value;
  t.equal(maskInstructions(instructions.bytes).toString('hex'), golden.instructions, 'instructions');
  t.equal(type, golden.type, 'program type');
  t.equal(loaded.expectedAttachType, golden.attachType, 'attach type');
  t.equal(loaded.section, golden.section, 'section');
}

function checkRefused(t: Test, failure: Failure | null, golden: GoldenProgram): void {
  t.equal(failure?.errno, golden.errno, 'errno');
  t.equal(failure?.message, firstWarning(golden), "libbpf's words");
  t.equal(failure?.stage, 'LOAD', 'stage');
}

/** A rejection's log as the verifier wrote it, before libbpf put its words in. */
function verifierLog(log: string, { notes }: LoadedProgram): string {
  return log
    .replace(
      /^(\d+): <invalid CO-RE relocation>\n.*\n/m,
      '$1: (85) call unknown#195896080\ninvalid func unknown#195896080\n',
    )
    .replace(/^(\d+): <invalid kfunc call>\nkfunc '(.*?)'.*\n/m, (_, i: string, name: string) => {
      const helper = POISON_KFUNC_BASE + notes!.externs.indexOf(name);
      return `${i}: (85) call unknown#${helper}\ninvalid func unknown#${helper}\n`;
    })
    .replace(/^(\d+): <invalid BPF map reference>\nBPF map '(.*?)'.*\n/m, (_, i: string, name: string) => {
      const helper = POISON_MAP_BASE + notes!.maps.indexOf(name);
      return `${i}: (85) call unknown#${helper}\ninvalid func unknown#${helper}\n`;
    });
}

for (const golden of readGolden()) {
  t.test(`${golden.object} ${golden.program}`, async (t) => {
    const object = load(golden);
    const loaded = object.programs[0];
    if (golden.program === '') return checkRefused(t, object.failure, golden);
    if (loaded === undefined) throw new Error('no answer');
    if (golden.errno !== 0 && !golden.verified) {
      return checkRefused(t, loaded.program.ok ? loaded.afterLoad : loaded.program.failure, golden);
    }
    checkLoaded(t, loaded, golden);
    t.equal(loaded.afterLoad?.errno ?? 0, golden.errno === EBADF ? EBADF : 0, 'after the load');
    if (loaded.afterLoad !== null) t.equal(loaded.afterLoad.message, firstWarning(golden));
    if (golden.errno === 0) {
      const maps = object.maps.map((map) => mapText({ ...map, name: map.fullName }));
      t.same(maps.sort(), golden.maps.map(mapText).sort(), 'maps');
    }
    if (golden.log.includes('<invalid')) {
      const raw = verifierLog(golden.log, loaded);
      t.not(raw, golden.log);
      t.equal(explainLog(raw, loaded.notes!), golden.log, 'the log as libbpf hands it on');
    }
  });
}

t.test('programs', async (t) => {
  const object = readObjectFile('functions.o');
  const names = (programs: readonly string[]): string[] =>
    loadObject(object, profile, { programs, legacyMaps: false }).programs.map(({ name }) => name);
  t.same(names([]), ['direct', 'nested', 'with_callback'], 'those that load by default');
  t.same(names(['not_by_default', 'direct']), ['not_by_default', 'direct'], 'those asked for, in that order');
  const missing = loadObject(object, profile, { programs: ['leaf'], legacyMaps: false }).programs[0]?.program;
  t.match(missing, { ok: false, failure: { code: 'PROGRAM_NOT_FOUND', symbol: 'leaf' } }, 'a subprogram is none');
});

t.test('program arrays name programs that are loaded together', async (t) => {
  const object = readObjectFile('maps.o');
  const both = loadObject(object, profile, { programs: ['entry', 'tail'], legacyMaps: false });
  t.same(
    both.programs.map(({ afterLoad }) => afterLoad),
    [null, null],
  );
});

t.test('legacy maps, where they are asked for', async (t) => {
  const { programs, maps } = loadObject(readObjectFile('legacy.o'), profile, { programs: [], legacyMaps: true });
  t.same(
    maps.map((map) => mapText(map)),
    ['first: type 1, key 4, value 8, entries 16', 'second: type 2, key 4, value 16, entries 1'],
  );
  const program = programs[0]?.program;
  if (program?.ok !== true) throw new Error('refused');
  const { instructions } = program.value;
  const loads = Array.from({ length: instructions.length }, (_, i) => i).filter((i) => instructions.opcode(i) === 0x18);
  t.same(
    loads.map((i) => [instructions.src(i), instructions.imm(i)]),
    [
      [1, 0],
      [1, 1],
    ],
  );
});

t.test('details', async (t) => {
  const { programs, maps } = loadObject(readObjectFile('functions.o'), profile, {
    programs: ['nested'],
    legacyMaps: false,
  });
  const program = programs[0]?.program;
  if (program?.ok !== true) throw new Error('refused');
  const { license, kernVersion, funcInfo, lineInfo, btf } = program.value;
  t.equal(license, 'Dual BSD/GPL');
  t.equal(kernVersion, 0x01020304);
  t.same(
    funcInfo.map(({ typeId }) => btf?.typeName(typeId)),
    ['nested', 'hidden', 'replaceable', 'middle', 'leaf'],
  );
  t.same(
    [...lineInfo].sort((a, b) => a.instruction - b.instruction),
    lineInfo,
    'lines in order of instructions',
  );
  const contents = new Map(maps.map((map) => [map.fullName, Buffer.from(map.contents ?? []).toString('hex')]));
  t.equal(contents.get('function.data'), '0700000000000000');
  t.equal(contents.get('.data.custom'), '0900000000000000');
  t.equal(contents.get('function.rodata'), '03000000');
  t.same(
    maps.filter(({ frozen }) => frozen).map(({ section }) => section),
    ['.rodata', '.rodata.table'],
  );
  const hidden = funcInfo.find(({ typeId }) => btf?.typeName(typeId) === 'hidden');
  t.equal(btf?.linkage(hidden!.typeId), 0, 'a hidden function is static to the kernel');
});
