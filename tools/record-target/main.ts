/**
 * record-target NAME (--package PATTERN | --kernel DIRECTORY | --agent COMMAND) [--architecture NAME] [--suite SUITE]
 *     [--verified TEXT] [--work DIRECTORY] [--system-map FILE] [--answers FILE]
 *
 * Records a kernel into targets/NAME. docs/targets.md says how to use it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeProfile } from '../../src/compiler/targets/decode.js';
import type { Manifest } from '../../src/compiler/targets/data.js';
import { architectureNamed } from './architectures/architectures.js';
import { askContexts, type ContextAnswer } from './ask/contexts.js';
import { contextDifferences, helperDifferences } from './check.js';
import { bootQemu, runAgent, type Machine } from './machine/machine.js';
import { NotRecordable, preflight } from './machine/preflight.js';
import { record } from './record.js';
import { digest, json, packSymbols, writeProfile } from './write.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TARGETS = fileURLToPath(new URL('../../targets/', import.meta.url));
/** Questions about contexts that a recording is held against. */
const CONTEXT_QUESTIONS = 2000;
const SEED = 20240612;
/** What a manifest says of a kernel whose answers nobody has held against it in bulk. */
const UNVERIFIED =
  "not verified: the tables are this kernel's, the code of verifier, rewrites and JIT follows the default target's kernel; " +
  'docs/targets.md says how far they agree';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    architecture: { type: 'string' },
    package: { type: 'string' },
    suite: { type: 'string', default: '' },
    kernel: { type: 'string' },
    agent: { type: 'string' },
    verified: { type: 'string', default: UNVERIFIED },
    work: { type: 'string' },
    'system-map': { type: 'string' },
    answers: { type: 'string' },
  },
});

const architecture = architectureNamed(options.architecture);

async function main(name: string): Promise<void> {
  const [machine, source] = await start(name);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void machine.stop().finally(() => process.exit(1));
    });
  }
  try {
    await recordInto(join(TARGETS, name), name, machine, source);
  } finally {
    await machine.stop();
  }
}

async function start(name: string): Promise<[Machine, string]> {
  if (options.agent !== undefined) return [runAgent(architecture, options.agent), `a running machine`];
  const from = options.package ?? options.kernel;
  if (from === undefined) throw new Error('one of --package, --kernel and --agent is needed');
  const work = workOf(name);
  mkdirSync(work, { recursive: true });
  progress(`preparing ${from} in ${work}`);
  const { debian, qemu } = architecture;
  const settings = {
    ARCHITECTURE: debian.name,
    TRIPLET: debian.triplet,
    NEEDED: debian.packages.join(' '),
    QEMU: qemu.command,
    SUITE: options.suite,
  };
  const env = { ...process.env, ...settings };
  execFileSync(join(HERE, 'prepare'), [work, from], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const source = readFileSync(join(work, 'package'), 'utf8').trim().split('\n').at(-1) ?? '';
  progress('booting');
  return [await bootQemu(architecture, work), source];
}

function workOf(name: string): string {
  return options.work ?? join(homedir(), '.cache', 'record-target', name);
}

async function recordInto(directory: string, name: string, machine: Machine, source: string): Promise<void> {
  const { agent } = machine;
  await preflight(architecture, agent);
  const recording = await record(architecture, agent, systemMap(), progress);
  const { kernel } = recording;
  const files = new Map<string, Uint8Array>([
    ['vmlinux.btf', kernel.btfBytes],
    ['symbols', packSymbols(kernel.symbols, recording.loadOffset ?? 0n)],
    ['config', Buffer.from(recording.config)],
    ['helpers.json', json(recording.helpers)],
    ['contexts.json', json(recording.contexts)],
    ['kernel.json', json(recording.data)],
  ]);
  if (recording.loadOffset === null) progress('no KERNELOFFSET in the crash notes: symbols are those of this boot');
  progress(`asking ${CONTEXT_QUESTIONS} context accesses`);
  const kinds = recording.live.filter(({ attachBtfId }) => attachBtfId === 0);
  const contextAnswers = await askContexts(agent, kinds, CONTEXT_QUESTIONS, SEED);
  const manifest: Manifest = {
    name,
    ...recording.machine,
    features: recording.features,
    loadOffset: `0x${(recording.loadOffset ?? 0n).toString(16)}`,
    source,
    verified: options.verified,
    digest: digest(files),
    asked: {
      helpers: [recording, ...recording.lesser].flatMap((r) => r.mayCall.flat()).length,
      contexts: contextAnswers.length,
    },
  };
  const profile = decodeProfile(new Map([...files, ['manifest.json', Buffer.from(JSON.stringify(manifest))]]));
  const differences = [
    ...helperDifferences(profile, recording.live, recording.mayCall),
    ...recording.lesser.flatMap((l) => helperDifferences(profile, l.live, l.mayCall, l.capabilities)),
    ...contextDifferences(profile, contextAnswers),
  ];
  for (const difference of differences.slice(0, 40)) progress(difference);
  writeProfile(directory, files, manifest);
  if (options.answers !== undefined) writeFileSync(options.answers, answersFile(contextAnswers));
  progress(`${directory}: ${differences.length} differences from the live kernel`);
  if (differences.length > 0) process.exitCode = 1;
}

/** All names of a kernel that lists only its functions: given, or fetched by `prepare`. */
function systemMap(): string | null {
  const path =
    options['system-map'] ?? (options.agent === undefined ? join(workOf(positionals[0]!), 'System.map') : '');
  return existsSync(path) ? readFileSync(path, 'latin1') : null;
}

/** The live kernel's answers as a test keeps them: one a line, in the order of ContextAnswer's members. */
function answersFile(answers: readonly ContextAnswer[]): string {
  return answers
    .map((a) => {
      const fields = [a.type, a.attachType, a.offset, a.size, a.write, a.dst, a.src, a.allowed, a.translated];
      return `${JSON.stringify(fields)}\n`;
    })
    .join('');
}

function progress(step: string): void {
  process.stderr.write(`record-target: ${step}\n`);
}

const [name] = positionals;
if (name === undefined || !/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
  process.stderr.write(
    'usage: record-target NAME (--package PATTERN | --kernel DIRECTORY | --agent COMMAND) [--architecture NAME]\n',
  );
  process.exitCode = 2;
} else {
  try {
    await main(name);
  } catch (error) {
    if (!(error instanceof NotRecordable)) throw error;
    progress(error.message);
    process.exitCode = 1;
  }
}
