/** Programs that use the kernel's modules, held against what a kernel with them said (record.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import tap from 'tap';
import { compile } from '../../src/compiler/compile.js';
import { readModule } from '../../src/compiler/kernel-btf.js';
import { decodeProfile } from '../../src/compiler/targets/decode.js';
import type { KernelModule } from '../../src/compiler/targets/modules.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { loadProfile, readTarget } from '../../src/service/targets.js';
import { Random } from '../fuzz/random.js';
import { maskLoaded, readGoldenLoads } from '../objects/golden-load.js';
import { MODULES, PROGRAMS } from './plan.js';

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, name));
const kernel = loadProfile();
const object = read('modules.o');
const golden = readGoldenLoads(import.meta.dirname);
const symbols = new Map(golden.flatMap(({ symbol, address }) => (symbol ? [[symbol, BigInt(address!)] as const] : [])));

function module(name: string, withFunctions: boolean): KernelModule {
  const made = readModule(brotliDecompressSync(read(`${name}.btf.br`)), kernel.btf, name);
  if (!made.ok) throw new Error(made.failure.message);
  const told = JSON.parse(read(`${name}.json`).toString()) as { flags: [number, number][]; progTypes: number[] } | null;
  if (told === null || !withFunctions) return made.value;
  return { ...made.value, functions: { flags: new Map(told.flags), progTypes: new Set(told.progTypes) } };
}

function profileWith(withFunctions: boolean): Profile {
  const modules = MODULES.map((name) => module(name, withFunctions));
  return decodeProfile(readTarget(kernel.name).files, kernel.btf, modules);
}

const profile = profileWith(true);

for (const id of PROGRAMS) {
  tap.test(id, (t) => {
    const record = golden.find((one) => one.id === id)!;
    const functions = record.functions?.map(({ address }) => BigInt(address));
    const link = functions === undefined ? null : { functions, maps: new Map(), symbols, programAux: 0n };
    const request = { object, programs: [id], program: null, cpu: {}, logLevel: 6, legacyMaps: false, link };
    const result = compile(request, profile).programs[0]!;
    t.equal(result.errno, record.errno, 'errno');
    t.equal(result.log, record.log, 'log');
    if (record.log === '') {
      t.ok(record.libbpf.includes(result.failure!.message), `${record.libbpf} / ${result.failure!.message}`);
    } else {
      const instructions = Buffer.from(result.instructions).toString('hex');
      t.equal(maskLoaded(instructions, false), maskLoaded(record.instructions, false), 'instructions');
    }
    if (record.errno === 0) {
      const translated = Buffer.from(result.translated).toString('hex');
      t.equal(maskLoaded(translated, true), maskLoaded(record.translated!, true), 'translated');
      const code = result.functions.map((fn) => Buffer.from(fn.code).toString('hex'));
      const recorded = record.functions!.map((fn) => fn.code);
      t.same(code, recorded, 'code');
    }
    t.end();
  });
}

tap.test('BTF alone does not tell the flags of functions', (t) => {
  const request = {
    object,
    programs: ['looks_up'],
    program: null,
    cpu: {},
    logLevel: 0,
    legacyMaps: false,
    link: null,
  };
  const { failure } = compile(request, profileWith(false)).programs[0]!;
  t.match(failure, {
    code: 'UNSUPPORTED',
    message: /bpf_xdp_ct_lookup\(\) of a module of which only the BTF is known/,
  });
  t.end();
});

tap.test('damaged BTF of a module is refused or used, never more', (t) => {
  const whole = brotliDecompressSync(read('nf_conntrack.btf.br'));
  const random = new Random(1);
  let used = 0;
  for (let i = 0; i < 20; i++) {
    const bytes = Buffer.from(whole);
    for (let k = 0; k < 4; k++) bytes[24 + random.below(bytes.length - 24)] = random.below(256);
    const made = readModule(bytes, kernel.btf, 'nf_conntrack');
    if (!made.ok) continue;
    used++;
    const damaged = decodeProfile(readTarget(kernel.name).files, kernel.btf, [
      { ...made.value, functions: profile.modules[0]!.functions },
    ]);
    const request = {
      object,
      programs: [...PROGRAMS],
      program: null,
      cpu: {},
      logLevel: 2,
      legacyMaps: false,
      link: null,
    };
    t.doesNotThrow(() => compile(request, damaged), `damage ${i}`);
  }
  t.ok(used > 2, `${used} were used`);
  t.end();
});

tap.test('BTF over another kernel', (t) => {
  const bytes = brotliDecompressSync(read('sunrpc.btf.br'));
  const alone = readModule(bytes.subarray(0, 100), kernel.btf, 'sunrpc');
  t.match(alone, { ok: false, failure: { code: 'BTF_INVALID' } });
  const small = module('sunrpc', false).btf;
  const other = readModule(
    bytes,
    { ...small, typeCount: 5, stringEnd: 5, kind: () => 0, base: null } as never,
    'sunrpc',
  );
  t.match(other, { ok: false, failure: { code: 'BTF_INVALID' } });
  t.end();
});
