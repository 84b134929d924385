/** What the fuzzers start from: objects, programs and requests of ours, in the form that each target takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { loadProfile } from '../../../src/service/targets.js';
import { CompileRequestType, encode } from '../../../src/service/contract/schema.js';
import { verify } from '../../../src/compiler/verify/verify.js';
import { BtfBuilder } from '../../btf/builder.js';
import { programOf } from '../../verify/cases.js';
import { fuzzCallProgram } from '../calls.js';
import { fuzzProgram } from '../program.js';
import { fuzzTracingProgram } from '../tracing.js';

export const TARGETS = ['requests', 'compressed', 'btf', 'objects', 'programs'] as const;
export type Target = (typeof TARGETS)[number];

const OBJECTS = join(import.meta.dirname, '../../objects');
/** Programs of each generator. */
const PROGRAMS = 60;

function objects(): Buffer[] {
  const names = readdirSync(OBJECTS).filter((name) => name.endsWith('.o'));
  return names.map((name) => readFileSync(join(OBJECTS, name))).filter(({ length }) => length < 65_536);
}

function blob(): Uint8Array {
  const builder = new BtfBuilder();
  builder.int('int', 4, 1);
  return builder.build();
}

/** Programs that go through a million instructions are right, and slow. */
const SHORT = 5000;

function programs(): Buffer[] {
  const profile = loadProfile();
  const { btf } = profile;
  const seeds = Array.from({ length: PROGRAMS }, (_, i) => i + 1);
  const generated = seeds.flatMap((seed) => [
    fuzzProgram(seed),
    fuzzCallProgram(seed, btf),
    fuzzTracingProgram(seed, btf),
  ]);
  const all = generated.map((one) => programOf({ name: 'fuzz', ...one }));
  const short = all.filter((one) => {
    const { stats } = verify(one, profile, { logLevel: 0 });
    return (stats?.processedInstructions ?? 0) < SHORT;
  });
  return short.map(({ type, expectedAttachType, instructions }) => {
    return Buffer.concat([Buffer.from([type, expectedAttachType, 1]), instructions.bytes]);
  });
}

const JSON_REQUEST = {
  program: {
    name: 'p',
    type: 'BPF_PROG_TYPE_XDP',
    license: 'GPL',
    instructions: 'twAAAAIAAACVAAAAAAAAAA==',
    maps: [{ name: 'm', type: 'BPF_MAP_TYPE_HASH', keySize: 4, valueSize: 8, maxEntries: 1, innerMap: { keySize: 4 } }],
  },
  target: { kernel: '', cpu: { lse: true }, modules: [{ name: 'nf', btfDigest: '0'.repeat(64) }] },
  options: { logLevel: 7, format: 'ELF', capabilities: { bpf: true } },
  link: { functions: ['0xffff800081234567'], maps: { m: { address: '0x10' } }, symbols: { a: '0' } },
};

function requests(): Buffer[] {
  const json = (kind: number, value: unknown): Buffer =>
    Buffer.concat([Buffer.from([kind]), Buffer.from(JSON.stringify(value))]);
  const instructions = Buffer.from(JSON_REQUEST.program.instructions, 'base64');
  const message = { program: { name: 'p', type: 6, license: 'GPL', instructions }, options: { logLevel: 1 } };
  return [
    json(0, JSON_REQUEST),
    json(1, { requests: [JSON_REQUEST], priority: 'PRIORITY_HIGH', idempotencyKey: 'k' }),
    json(2, { id: 'a', request: JSON_REQUEST }),
    Buffer.concat([Buffer.from([0x81]), encode(CompileRequestType, message)]),
  ];
}

/** A frame of zstd with one raw block, and the same blob as xz 5.4 packs it. */
const ZSTD = '28b52ffd242d3501000202070fe0e90058a88d2880cf3429370032059fd57dfaa1ffdf3fe4b9890102006e160328026a8bb9c8';
const XZ =
  'fd377a585a000004e6d6b446020021011c00000010cf58cce0002c001d5d004fbabc2000ce5106a680f1fa14c8b254f106079543a763bc3970c000000000000031c6ae8b3a9b4d9c0001392de464dd6b1fb6f37d010000000004595a';

/** In the form that the target of that name takes. */
export function seedsOf(target: Target): Uint8Array[] {
  switch (target) {
    case 'requests':
      return requests();
    case 'compressed':
      return [gzipSync(blob()), deflateSync(blob()), Buffer.from(ZSTD, 'hex'), Buffer.from(XZ, 'hex')];
    case 'btf':
      return [blob(), ...objects()];
    case 'objects':
      return objects();
    case 'programs':
      return programs();
  }
}
