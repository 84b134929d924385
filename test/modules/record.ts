/**
 * Builds modules.o and writes golden.jsonl, what a kernel with nf_conntrack and sunrpc and libbpf 1.5 said of it, and beside it
 * what those modules' files tell: their BTF, and the kernel functions that they register.
 * Usage: tsx test/modules/record.ts (the oracle's set-up must have run).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { readModuleFile } from '../../src/compiler/module-file.js';
import { FUNCTIONS, MODULES, PROGRAMS } from './plan.js';

/** In the order in which they load; the last two are those that programs use. */
const FILES = ['libcrc32c', 'nf_defrag_ipv4', 'nf_defrag_ipv6', ...MODULES];

const here = import.meta.dirname;
const oracle = process.env['ORACLE_HOME'] ?? join(homedir(), '.cache/kernel-oracle');
const jobs = mkdtempSync(join(tmpdir(), 'modules-'));
const flags = '-g -O2 --target=bpf -mcpu=v4 -Wall -Wno-unused -Wno-visibility'.split(' ');
execFileSync('clang-19', [...flags, `-fdebug-prefix-map=${here}=.`, '-c', 'modules.c', '-o', 'modules.o'], {
  cwd: here,
  stdio: 'inherit',
});
copyFileSync(join(here, 'modules.o'), join(jobs, 'modules.o'));
for (const name of FILES) {
  const packed = readdirSync(oracle + '/kernel/lib/modules', { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(`/${name}.ko.xz`),
  )!;
  const bytes = execFileSync('xz', ['-dc', join(oracle, 'kernel/lib/modules', packed)], { maxBuffer: 1 << 26 });
  writeFileSync(join(jobs, `${name}.ko`), bytes);
  if (MODULES.includes(name)) keep(name, bytes);
}

function keep(name: string, bytes: Uint8Array): void {
  const file = readModuleFile(bytes);
  if (!file.ok) throw new Error(`${name}: ${file.failure.message}`);
  const { btf, functions } = file.value;
  const told = functions && { flags: [...functions.flags], progTypes: [...functions.progTypes] };
  writeFileSync(join(here, `${name}.btf.br`), brotliCompressSync(btf));
  writeFileSync(join(here, `${name}.json`), `${JSON.stringify(told)}\n`);
}

const plan = [
  ...FILES.map((name) => `module ${name}.ko`),
  ...FUNCTIONS.map((name) => `symbol ${name}`),
  ...PROGRAMS.map((program) => `load ${program} modules.o ${program} - -`),
];
writeFileSync(join(jobs, 'plan'), plan.map((line) => `${line}\n`).join(''));
const out = join(jobs, 'out.jsonl');
execFileSync(join(here, '../golden/guest/run'), [jobs, out], { stdio: ['ignore', 'inherit', 'inherit'] });
const lines = readFileSync(out, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.includes('"done"'));
const withoutTime = lines.map((line) => line.replace(/\\u000averification time \d+ usec/, ''));
writeFileSync(join(here, 'golden.jsonl'), `${withoutTime.join('\n')}\n`);
rmSync(jobs, { recursive: true });
