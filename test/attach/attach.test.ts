/** Programs that are attached to other programs, held against what a kernel said of them (record.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compile, type AttachProgram, type CompileRequest } from '../../src/compiler/compile.js';
import { loadProfile } from '../../src/service/targets.js';
import { maskLoaded, readGoldenLoads, type GoldenLoad } from '../objects/golden-load.js';
import { idOf, LOADS, type Load } from './plan.js';

const profile = loadProfile();
const object = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, name));
const golden = new Map(readGoldenLoads(import.meta.dirname).map((record) => [record.id, record] as const));

function attachTo({ target, function: fn }: Load): AttachProgram | null {
  const load = LOADS.find((one) => target !== null && idOf(one) === target);
  if (load === undefined) return null;
  return {
    program: null,
    object: object(load.object),
    name: load.program,
    function: fn ?? '',
    attachProgram: attachTo(load),
  };
}

function requestOf(load: Load, record: GoldenLoad): CompileRequest {
  const functions = record.functions?.map(({ address }) => BigInt(address));
  return {
    object: object(load.object),
    programs: [load.program],
    program: null,
    attachProgram: attachTo(load),
    cpu: {},
    logLevel: 6,
    legacyMaps: false,
    link: functions === undefined ? null : { functions, maps: new Map(), symbols: new Map(), programAux: 0n },
  };
}

const ADDRESS = /(\(18\) r\d+ = )0x[0-9a-f]+ */g;

for (const load of LOADS) {
  const id = idOf(load);
  tap.test(id, (t) => {
    const record = golden.get(id)!;
    const answer = compile(requestOf(load, record), profile);
    const result = answer.programs[0]!;
    t.equal(result.errno, record.errno, 'errno');
    t.equal(result.accepted, record.errno === 0, 'verdict');
    t.equal(result.log.replace(ADDRESS, '$1'), record.log.replace(ADDRESS, '$1'), 'log');
    if (record.log === '' && record.errno !== 0) {
      t.ok(
        record.libbpf.includes(result.failure!.message),
        `libbpf: ${record.libbpf} ours: ${result.failure!.message}`,
      );
    }
    if (record.errno === 0) {
      const translated = Buffer.from(result.translated).toString('hex');
      t.equal(maskLoaded(translated, true), maskLoaded(record.translated!, true), 'translated');
      const code = result.functions.map((fn) => Buffer.from(fn.code).toString('hex'));
      const usesMaps = result.functions.some((fn) => fn.relocations.length > 0); // whose addresses are not recorded
      const recorded = record.functions!.map((fn) => fn.code);
      if (!usesMaps) t.same(code, recorded, 'code');
    }
    t.end();
  });
}
