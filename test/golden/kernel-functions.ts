/**
 * Writes FOLDER/kernel-functions.json: what the golden records of a kernel whose JIT is given kernel functions by their BTF
 * ids call, by id. RAW.jsonl is any recording of that kernel with its types and symbols:
 *
 *     record --target linux-6.12-s390x-z13 DIR raw.jsonl oracle.btf oracle.kallsyms
 *     npx tsx test/golden/kernel-functions.ts raw.jsonl rewrite-s390x
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentModels, type ArgumentModel } from '../../src/compiler/btf/argument-models.js';
import { openKernelBtf, readKernelBtf } from '../../src/compiler/kernel-btf.js';
import { kernelFunctionCalls } from '../jit/s390x/recordings.js';
import { goldenNames, readGolden } from './golden.js';

/** A kernel function: where it lies (hexadecimal), and how it takes its arguments. */
export interface CalledFunction {
  readonly name: string;
  readonly address: string;
  readonly arguments: readonly ArgumentModel[];
}

export function readKernelFunctions(folder: string): Readonly<Record<string, CalledFunction>> {
  const text = readFileSync(join(import.meta.dirname, folder, 'kernel-functions.json'), 'utf8');
  return JSON.parse(text) as Record<string, CalledFunction>;
}

function write(raw: string, folder: string): void {
  const heads = readFileSync(raw, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"kallsyms"') || line.startsWith('{"vmlinux_btf"'))
    .map((line) => JSON.parse(line) as { kallsyms?: string[]; vmlinux_btf?: string });
  const image = readKernelBtf(new Uint8Array(Buffer.from(heads.map((h) => h.vmlinux_btf ?? '').join(''), 'hex')));
  if (!image.ok) throw new Error(image.failure.message);
  const btf = openKernelBtf(image.value);
  const symbols = new Map(
    heads.flatMap((h) => h.kallsyms ?? []).map((line) => [line.split(' ')[2]!, line.split(' ')[0]!]),
  );
  const records = goldenNames(folder).flatMap((name) => readGolden(folder, name));
  const ids = new Set(records.flatMap((record) => record.functions.flatMap(kernelFunctionCalls)).map(({ id }) => id));
  const called: Record<string, CalledFunction> = {};
  for (const id of [...ids].sort((a, b) => a - b)) {
    const name = btf.typeName(id);
    called[id] = { name, address: symbols.get(name)!, arguments: argumentModels(btf, id) };
  }
  writeFileSync(join(import.meta.dirname, folder, 'kernel-functions.json'), `${JSON.stringify(called, null, 1)}\n`);
}

const [script, raw, folder] = process.argv.slice(1);
if (script === import.meta.filename && raw !== undefined && folder !== undefined) write(raw, folder);
