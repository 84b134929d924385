/**
 * Writes src/compiler/targets/uapi.ts, map-flags.ts and helper-ids.ts from the recorded kernels' BTF; with --check, fails
 * where they are not up to date. Linux never renumbers these, so one list serves every target: the default's names and
 * numbers first, then what only others have. Targets that disagree are an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Btf } from '../src/compiler/btf/btf.js';
import { KIND_ENUM } from '../src/compiler/btf/kinds.js';
import { openKernelBtf } from '../src/compiler/kernel-btf.js';
import { readTarget, targetNames } from '../src/service/targets.js';

const FOLDER = new URL('../src/compiler/targets/', import.meta.url);
const GENERATED = 'Generated from the recorded kernels (npm run generate)';

interface Enumeration {
  readonly comment: string;
  /** Its name, or, where it has none, an enumerator that it has. */
  readonly name?: string;
  readonly having?: string;
  /** What our name for an enumerator is; null leaves it out. */
  rename(name: string): string | null;
}

const plain = (name: string): string | null => (name.startsWith('__') ? null : name);
const withoutPrefix = (prefix: string) => (name: string) =>
  name.startsWith(prefix) ? name.slice(prefix.length).toUpperCase() : null;

const FILES: Readonly<Record<string, { title: string; parts: readonly Enumeration[] }>> = {
  'uapi.ts': {
    title:
      "Linux's own numbers of program types, attach types and map types (include/uapi/linux/bpf.h): never renumbered.",
    parts: [
      { comment: 'Program types (enum bpf_prog_type).', name: 'bpf_prog_type', rename: plain },
      { comment: 'Attach types (enum bpf_attach_type).', name: 'bpf_attach_type', rename: plain },
      { comment: 'Map types (enum bpf_map_type).', name: 'bpf_map_type', rename: plain },
    ],
  },
  'map-flags.ts': {
    title: 'Flags of BPF_MAP_CREATE (include/uapi/linux/bpf.h): never renumbered.',
    parts: [{ comment: '', having: 'BPF_F_NO_PREALLOC', rename: plain }],
  },
  'helper-ids.ts': {
    title: 'Numbers of the helpers (enum bpf_func_id, include/uapi/linux/bpf.h): never renumbered.',
    parts: [{ comment: '', name: 'bpf_func_id', rename: withoutPrefix('BPF_FUNC_') }],
  },
};

function* enumerators(btf: Btf, { name, having }: Enumeration): Generator<[string, number]> {
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kind(id) !== KIND_ENUM || btf.typeName(id) !== (name ?? '')) continue;
    const all = Array.from({ length: btf.vlen(id) }, (_, i): [string, number] => [
      btf.enumName(id, i),
      btf.enumValueLo(id, i),
    ]);
    if (having !== undefined && !all.some(([enumerator]) => enumerator === having)) continue;
    yield* all;
    return;
  }
}

function source(kernels: readonly Btf[], title: string, parts: readonly Enumeration[]): string {
  const lines = ['/**', ` * ${title}`, ` * ${GENERATED}.`, ' */'];
  for (const part of parts) {
    const known = new Map<string, number>();
    for (const btf of kernels) {
      for (const [name, value] of enumerators(btf, part)) {
        const ours = part.rename(name);
        if (ours === null) continue;
        if ((known.get(ours) ?? value) !== value) throw new Error(`${name}: targets disagree on its number`);
        known.set(ours, value);
      }
    }
    if (part.comment !== '') lines.push('', `// ${part.comment}`);
    for (const [name, value] of known) lines.push(`export const ${name} = ${value};`);
  }
  return `${lines.join('\n')}\n`;
}

const kernels = targetNames().map((name) => openKernelBtf(readTarget(name).btf));
for (const [file, { title, parts }] of Object.entries(FILES)) {
  const path = fileURLToPath(new URL(file, FOLDER));
  const text = source(kernels, title, parts);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`src/compiler/targets/${file} is not up to date: npm run generate`);
    process.exitCode = 1;
  }
}
