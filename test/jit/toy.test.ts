/**
 * Another architecture is a folder and a line of one table: a copy of the compiler gets a toy one, and answers for a kernel
 * of it with code, exception entries, an object and a listing.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import tap from 'tap';
import type * as compiling from '../../src/compiler/compile.js';
import type * as architectures from '../../src/compiler/jit/architectures.js';
import type * as machineCode from '../../src/compiler/link/machine-code.js';
import type * as objects from '../../src/compiler/link/object/object.js';
import type * as decoding from '../../src/compiler/targets/decode.js';
import { readTarget } from '../../src/service/targets.js';
import { openKernelBtf } from '../../src/compiler/kernel-btf.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'toy-'));
tap.teardown(() => {
  rmSync(scratch, { recursive: true });
});

const folder = join(scratch, 'compiler');
cpSync(join(ROOT, 'src/compiler'), folder, { recursive: true });
writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }');
mkdirSync(join(folder, 'jit/toy'));
cpSync(join(ROOT, 'test/jit/toy/architecture.ts.txt'), join(folder, 'jit/toy/architecture.ts'));
const table = join(folder, 'jit/architectures.ts');
const listed = readFileSync(table, 'utf8').replace(/= \[([^\]]*)\];/, '= [$1, TOY];');
writeFileSync(table, `import { TOY } from './toy/architecture.js';\n${listed}`);

const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href);

tap.test('a kernel of a new architecture', async (t) => {
  const { compile } = (await load('compile.ts')) as typeof compiling;
  const { architectureOf } = (await load('jit/architectures.ts')) as typeof architectures;
  const { cutCode } = (await load('link/machine-code.ts')) as typeof machineCode;
  const { writeObject } = (await load('link/object/object.ts')) as typeof objects;
  const { decodeProfile } = (await load('targets/decode.ts')) as typeof decoding;

  const target = readTarget('linux-6.12-arm64');
  const files = new Map<string, Uint8Array>(target.files);
  const manifest = JSON.parse(Buffer.from(files.get('manifest.json')!).toString()) as object;
  files.set('manifest.json', Buffer.from(JSON.stringify({ ...manifest, architecture: 'toy' })));
  const profile = decodeProfile(files, openKernelBtf(target.btf));

  const program = {
    name: 'two',
    type: 1,
    expectedAttachType: 0,
    instructions: Buffer.from('b700000002000000' + '9500000000000000', 'hex'),
    maps: [],
    btf: new Uint8Array(0),
    funcInfo: new Uint8Array(0),
    lineInfo: new Uint8Array(0),
    license: 'GPL',
    flags: 0,
    attachTo: '',
    attachBtfId: 0,
  };
  const request = { object: null, programs: [], program, logLevel: 0, legacyMaps: false, link: null };
  const { programs } = compile({ ...request, cpu: { hum: true }, listing: true }, profile);
  const [fn] = programs[0]!.functions;
  t.equal(Buffer.from(fn!.code).toString('hex'), 'b896');
  t.match(fn!.exceptionTable, [{ register: 2, registerName: 'toe' }]);
  t.same(
    fn!.instructions?.map(({ offset }) => offset),
    [0, 1],
  );

  const toy = architectureOf('toy');
  const cut = cutCode(fn!.code, toy, { disasm: () => [] });
  t.same(
    cut.map(({ text }) => text),
    ['.byte 0xb8', '.byte 0x96'],
  );
  const elf = Buffer.from(writeObject(toy, [{ name: 'two', functions: programs[0]!.functions, maps: [] }]));
  t.equal(elf.readUInt16BE(18), 0x7079, 'e_machine');
  t.equal(elf.readUInt32BE(48), 3, 'e_flags');

  const other = compile({ ...request, cpu: { lse: true } }, profile);
  t.match(other.failure, { code: 'CPU_MISMATCH' }, 'features of another architecture');
});
