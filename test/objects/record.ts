/**
 * Writes golden.json: what a kernel and libbpf 1.5 said of the objects of this folder.
 * Usage: tsx test/objects/record.ts [RECORD], RECORD being the oracle's script (default /work/shared/oracle/record).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskInstructions, type GoldenMap, type GoldenProgram } from './golden.js';

interface OracleMap {
  readonly name: string;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly map_extra: number;
}

interface OracleLine {
  readonly object?: string;
  readonly prog?: string;
  readonly section?: string;
  readonly type?: number;
  readonly attach_type?: number;
  readonly err?: number;
  readonly open_errno?: number;
  readonly insns?: string;
  readonly maps?: readonly OracleMap[];
  readonly log?: string;
  readonly libbpf?: string;
}

const here = import.meta.dirname;

function record(script: string): string {
  const jobs = mkdtempSync(join(tmpdir(), 'objects-'));
  for (const [folder, prefix] of [
    [here, ''],
    [join(here, 'refused'), 'refused.'],
    [join(here, 'compilers'), ''],
  ] as const) {
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.o')) copyFileSync(join(folder, name), join(jobs, prefix + name));
    }
  }
  const out = join(jobs, 'out.jsonl');
  execFileSync(script, [jobs, out], { stdio: ['ignore', 'ignore', 'inherit'] });
  const text = readFileSync(out, 'utf8');
  rmSync(jobs, { recursive: true });
  return text;
}

function describeMap(map: OracleMap): GoldenMap {
  const { name, type, flags } = map;
  const sizes = { keySize: map.key_size, valueSize: map.value_size, maxEntries: map.max_entries };
  return { name, type, flags, mapExtra: map.map_extra, ...sizes };
}

/** Where the object lies: SOURCE.COMPILER.o in `compilers`. */
function pathOf(name: string): string {
  if (name.startsWith('refused.')) return name.replace('.', '/');
  return name.split('.').length > 2 ? `compilers/${name}` : name;
}

function describe(line: OracleLine): GoldenProgram {
  const log = line.log ?? '';
  return {
    object: pathOf(line.object ?? ''),
    program: line.prog ?? '',
    section: line.section ?? '',
    type: line.type ?? 0,
    attachType: line.attach_type ?? 0,
    errno: line.open_errno === undefined ? (line.err ?? 0) : -line.open_errno,
    verified: log.includes('processed '),
    instructions: maskInstructions(Buffer.from(line.insns ?? '', 'hex')).toString('hex'),
    maps: (line.maps ?? []).map(describeMap),
    libbpf: (line.libbpf ?? '').split('\n').filter((text) => text !== ''),
    log: line.err === 0 ? '' : log.replace(/^verification time .*\n/m, ''),
  };
}

const lines = record(process.argv[2] ?? '/work/shared/oracle/record')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as OracleLine)
  .filter((line) => line.object !== undefined);
writeFileSync(join(here, 'golden.json'), `${JSON.stringify(lines.map(describe), null, 1)}\n`);
