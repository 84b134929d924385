/**
 * Judges generated programs by the kernel and by us:
 * `npx tsx test/fuzz/against-oracle.ts ORACLE GENERATOR FIRST_SEED COUNT [ANSWERS.json]`, GENERATOR one of judge.ts.
 * Prints every seed on which we differ in errno or in any letter of the log, and writes the kernel's answers where a file
 * is named; ends with 1 if we accept what the kernel rejects.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Program } from '../../src/compiler/load/program.js';
import { loadProfile } from '../../src/service/targets.js';
import { digest, GENERATORS, isShort, judge } from './judge.js';

interface Answer {
  readonly prog: string;
  readonly err: number;
  readonly log: string;
}

const [, , oracle, name, firstText, countText, answersFile] = process.argv;
const generator = GENERATORS[name ?? ''];
const first = Number(firstText);
const count = Number(countText);
if (oracle === undefined || generator === undefined || !(count > 0))
  throw new Error('usage: against-oracle.ts ORACLE GENERATOR FIRST_SEED COUNT [ANSWERS.json]');

const profile = await loadProfile('linux-6.12-arm64');
const programs = new Map<string, Program>();
for (let seed = first; seed < first + count; seed++) {
  const program = generator(seed, profile);
  if (isShort(program, profile)) programs.set(String(seed), program);
}

/** struct bpf_func_info or bpf_line_info records. */
function words(records: readonly (readonly number[])[]): string {
  return Buffer.from(Uint32Array.from(records.flat()).buffer).toString('hex');
}

/** BTF with what it says of functions and lines. */
function typesOf({ btf, funcInfo, lineInfo }: Program): string {
  if (btf === null) return '';
  const functions = funcInfo.map((f) => [f.instruction, f.typeId]);
  const lines = lineInfo.map((l) => [l.instruction, l.fileNameOff, l.lineOff, l.lineCol]);
  const blob = Buffer.from(btf.blob).toString('hex');
  return `btf=${blob}\nfunc_info=${words(functions)}\nline_info=${words(lines)}\n`;
}

function jobOf(seed: string, program: Program): string {
  const maps = program.maps
    .map((m) => `map=${m.type},${m.keySize},${m.valueSize},${m.maxEntries},${m.flags}\n`)
    .join('');
  const insns = Buffer.from(program.instructions.bytes).toString('hex');
  const attach = program.attachBtfId === 0 ? '' : `attach_btf_id=${program.attachBtfId}\n`;
  const head = `name=${seed}\ntype=${program.type}\nattach_type=${program.expectedAttachType}\nflags=${program.flags}\n`;
  const rest = `license=${program.license}\nlog_level=2\n${typesOf(program)}${maps}insns=${insns}\n\n`;
  return head + attach + rest;
}

const work = mkdtempSync(join(tmpdir(), 'verify-fuzz-'));
writeFileSync(join(work, 'fuzz.jobs'), [...programs].map(([seed, program]) => jobOf(seed, program)).join(''));
const out = join(work, 'out.jsonl');
execFileSync(join(oracle, 'record'), [work, out], { stdio: ['ignore', 'ignore', 'inherit'] });

const tally = { accepted: 0, falseAccept: 0, falseReject: 0, errno: 0, log: 0, same: 0 };
const answers: [seed: number, errno: number, log: string][] = [];

function compare(answer: Answer, program: Program): keyof typeof tally {
  const ours = judge(program, profile);
  if (ours.errno === 0 && answer.err !== 0) return 'falseAccept';
  if (ours.errno !== 0 && answer.err === 0) return 'falseReject';
  if (ours.errno !== answer.err) return 'errno';
  return digest(answer.log) === digest(ours.log) ? 'same' : 'log';
}

for await (const line of createInterface({ input: createReadStream(out) })) {
  const answer = line === '' ? null : (JSON.parse(line) as Partial<Answer>);
  const program = programs.get(answer?.prog ?? '');
  if (program === undefined || answer?.err === undefined) continue;
  const kind = compare(answer as Answer, program);
  tally[kind]++;
  if (answer.err === 0) tally.accepted++;
  answers.push([Number(answer.prog), answer.err, digest(answer.log ?? '')]);
  if (kind !== 'same') console.log(`${kind} seed ${answer.prog}: kernel ${answer.err}`);
}
rmSync(work, { recursive: true });
if (answersFile !== undefined)
  writeFileSync(answersFile, `[\n${answers.map((a) => JSON.stringify(a)).join(',\n')}\n]\n`);
console.log(JSON.stringify(tally));
process.exitCode = tally.falseAccept > 0 ? 1 : 0;
