/**
 * What a recorded kernel other than the default says of this repository's own programs: taken, or refused with which errno.
 * verdicts-6.1.jsonl is the live kernel's answers (test/targets/agreement, which also counts what else agrees): a line is
 * [object or jobs, program, errno]; null stands for programs that libbpf or bpf(2) refused before the verifier saw them.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { compile, type CompileRequest, type ProgramResult, type RawMap, type RawProgram } from '../../src/compiler/compile.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { BPF_PROG_TYPE_SCHED_CLS } from '../../src/compiler/targets/uapi.js';
import { loadProfile, targetNames } from '../../src/service/targets.js';
import { FEATURE_PROGRAMS } from '../../tools/record-target/ask/features.js';
import { assemble } from '../../tools/record-target/ask/load.js';

type Line = readonly [file: string, program: string, errno: number | null];

/** Refused by us alone, and refused with another errno: docs/targets.md lists these. */
const REFUSED_BY_US = ['rewrite.zero_loops.o preceded'];
const OTHER_ERRNO = ['objects.records.o without_lock'];

const profile = loadProfile('linux-6.1-arm64');
const ofTest = (path: string): Buffer => readFileSync(new URL(`../${path}`, import.meta.url));
const lines = ofTest('targets/verdicts-6.1.jsonl').toString().trim().split('\n').map((line) => JSON.parse(line) as Line);
const BASE: CompileRequest = { object: null, programs: [], program: null, cpu: {}, logLevel: 0, legacyMaps: false, link: null };

const NONE = new Uint8Array(0);
const raw = (type: number, instructions: Uint8Array): RawProgram => ({
  name: 't',
  type,
  expectedAttachType: 0,
  instructions,
  maps: [],
  btf: NONE,
  funcInfo: NONE,
  lineInfo: NONE,
  license: 'GPL',
  flags: 0,
  attachTo: '',
  attachBtfId: 0,
});

/** golden/FOLDER/*.o and objects/*.o, named FOLDER.NAME.o. */
function ofObject(file: string, program: string): ProgramResult | undefined {
  const [, folder, name] = /^(\w+)\.(.*)$/.exec(file)!;
  const object = ofTest(`${folder === 'objects' ? 'objects' : `golden/${folder}`}/${name}`);
  return compile({ ...BASE, object, programs: [program] }, profile).programs[0];
}

const jobs = new Map(
  ofTest('golden/jit/programs.jobs').toString().trim().split('\n\n').map((text) => {
    const fields = text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
    return [fields.find(([key]) => key === 'name')![1], fields];
  }),
);

function ofJob(name: string): ProgramResult | undefined {
  const fields = jobs.get(name)!;
  const value = (key: string, otherwise: string): string => fields.find(([k]) => k === key)?.[1] ?? otherwise;
  const maps = fields.filter(([key]) => key === 'map').map(([, map], i): RawMap => {
    const [type, keySize, valueSize, maxEntries, flags] = map.split(',').map(Number) as [number, number, number, number, number];
    const types = { mapExtra: 0n, btfKeyTypeId: 0, btfValueTypeId: 0, innerMap: null };
    return { name: `map${i}`, type, keySize, valueSize, maxEntries, flags, ...types };
  });
  const given = {
    expectedAttachType: Number(value('attach_type', '0')),
    maps,
    license: value('license', 'GPL'),
    flags: Number(value('flags', '0')),
  };
  const program = { ...raw(Number(value('type', '1')), Buffer.from(value('insns', ''), 'hex')), ...given };
  return compile({ ...BASE, program }, profile).programs[0];
}

t.test('linux-6.1-arm64: verdicts', (t) => {
  const asked = lines.filter(([, , errno]) => errno !== null);
  t.equal(lines.length, 552);
  t.ok(asked.filter(([, , errno]) => errno === 0).length > 200 && asked.filter(([, , errno]) => errno! < 0).length > 40);
  const found: Record<string, string[]> = { accepted: [], refused: [], errno: [] };
  for (const [file, name, errno] of lines) {
    const ours = file.endsWith('.jobs') ? ofJob(name) : ofObject(file, name);
    const place = `${file} ${name}`;
    if (ours?.accepted === true) {
      if (errno !== 0) found['accepted']!.push(place);
    } else if (errno === 0) found['refused']!.push(place);
    else if (errno !== null && ours?.errno !== errno) found['errno']!.push(place);
  }
  t.strictSame(found['accepted'], [], 'nothing is accepted that the kernel refuses');
  t.strictSame(found['refused'], REFUSED_BY_US);
  t.strictSame(found['errno'], OTHER_ERRNO);
  t.end();
});

/** As the target's machine has it on the wire. */
function inOrderOf(target: Profile, program: Parameters<typeof assemble>[0]): Uint8Array {
  return Instructions.from(assemble(program)).toWire(target.byteOrder);
}

for (const name of targetNames()) {
  t.test(`${name}: the programs that tell what the kernel has`, (t) => {
    const target = loadProfile(name);
    for (const [feature, program] of Object.entries(FEATURE_PROGRAMS)) {
      const answer = compile({ ...BASE, program: raw(BPF_PROG_TYPE_SCHED_CLS, inOrderOf(target, program)) }, target).programs[0];
      t.equal(answer?.accepted, target.features.includes(feature), `${feature}: as the live kernel answered`);
    }
    t.end();
  });
}
