/** bpf-jitd compile */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { capabilitiesFromNames } from '../service/contract/capabilities.js';
import { cpuFromText } from '../service/contract/cpu.js';
import type { Message } from '../service/contract/schema.js';
import type { AnswerJson } from './answer.js';
import { caveat } from './caveat.js';
import { compilerOf } from './local.js';
import { answerText } from './text.js';
import { orUsage, UsageError } from './usage.js';

const OPTIONS = {
  program: { type: 'string', multiple: true },
  kernel: { type: 'string' },
  format: { type: 'string', default: 'text' },
  output: { type: 'string' },
  'log-level': { type: 'string', default: '1' },
  'legacy-maps': { type: 'boolean', default: false },
  capabilities: { type: 'string' },
  cpu: { type: 'string' },
  module: { type: 'string', multiple: true },
  'attach-program': { type: 'string' },
  'attach-function': { type: 'string' },
  'attach-object': { type: 'string' },
  server: { type: 'string' },
} as const;

/** What is asked of the service for each form of output. */
const REQUESTED = { text: 'LISTING', json: 'CODE', elf: 'ELF' } as const;

/** The exit status: 0 all accepted, 1 one rejected, 2 could not be tried. */
export async function compileCommand(argv: string[]): Promise<number> {
  const { values, positionals } = orUsage(() => parseArgs({ args: argv, options: OPTIONS, allowPositionals: true }));
  const [file, extra] = positionals;
  if (file === undefined || extra !== undefined) throw new UsageError('compile takes one object');
  const { format } = values;
  if (format !== 'text' && format !== 'json' && format !== 'elf') throw new UsageError('--format is text, json or elf');
  const request: Message = {
    object: readFileSync(file === '-' ? 0 : file).toString('base64'),
    programs: values.program ?? [],
    target: {
      kernel: values.kernel ?? '',
      modules: (values.module ?? []).map(module),
      ...(values.cpu === undefined ? {} : { cpu: cpuFromText(values.cpu) }),
    },
    ...attachProgram(values),
    options: {
      logLevel: values['log-level'],
      legacyMaps: values['legacy-maps'],
      ...(values.capabilities === undefined ? {} : { capabilities: capabilitiesFromNames(values.capabilities) }),
      format: REQUESTED[format],
    },
  };
  const answer = await compilerOf(values.server)(request);
  const warning = caveat(answer as AnswerJson);
  if (warning !== null) process.stderr.write(`bpf-jitd: ${warning}\n`);
  const output = format === 'elf' ? Buffer.from(String(answer['elf'] ?? ''), 'base64') : await rendered(answer, format);
  if (values.output === undefined) process.stdout.write(output);
  else writeFileSync(values.output, output);
  return exitStatus(answer as AnswerJson);
}

/** A module by its file, named after it: `path/nf_conntrack.ko.xz`. */
function module(path: string): Message {
  const name = basename(path).split('.')[0]!.replaceAll('-', '_');
  return { name, btf: readFileSync(path).toString('base64') };
}

interface AttachOptions {
  readonly 'attach-program'?: string;
  readonly 'attach-function'?: string;
  readonly 'attach-object'?: string;
}

/** The BPF program that the object's are attached to, found in the object itself where no other is named. */
function attachProgram(values: AttachOptions): Message {
  const { 'attach-program': name, 'attach-function': fn, 'attach-object': file } = values;
  if (name === undefined) {
    if (fn !== undefined || file !== undefined) throw new UsageError('--attach-program is missing');
    return {};
  }
  const object = file === undefined ? {} : { object: readFileSync(file).toString('base64') };
  return { attachProgram: { name, ...object, ...(fn === undefined ? {} : { function: fn }) } };
}

async function rendered(answer: Message, format: 'text' | 'json'): Promise<string> {
  return format === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : answerText(answer as unknown as AnswerJson);
}

function exitStatus(answer: AnswerJson): number {
  const programs = answer.programs ?? [];
  if (programs.length === 0) return 2;
  return programs.every((program) => program.accepted) ? 0 : 1;
}
