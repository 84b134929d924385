/**
 * Asks the kernel again: `npx tsx test/verify/record.ts DIRECTORY_OF_THE_ORACLE`. Each program of cases/ is loaded by the
 * target's own kernel, and what it answers is written beside the program.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES, caseFiles, comparable, programOf, readCases } from './cases.js';
import type { Case } from './cases.js';

interface Answer {
  readonly prog: string;
  readonly err: number;
  readonly log: string;
}

function jobOf(test: Case, id: string): string {
  const program = programOf(test);
  const lines = [
    `name=${id}`,
    `type=${program.type}`,
    `attach_type=${program.expectedAttachType}`,
    `flags=${program.flags}`,
    `license=${program.license}`,
    `log_level=${test.logLevel ?? 2}`,
    ...(test.maps ?? []).map((m) => `map=${m.type},${m.key},${m.value},${m.entries},${m.flags ?? 0}`),
    `insns=${Buffer.from(program.instructions.bytes).toString('hex')}`,
  ];
  return `${lines.join('\n')}\n\n`;
}

const oracle = process.argv[2];
if (oracle === undefined) throw new Error('usage: record.ts DIRECTORY_OF_THE_ORACLE');
const work = mkdtempSync(join(tmpdir(), 'verify-cases-'));
const files = caseFiles();
const jobs = files.flatMap((file) => readCases(file).map((test, i) => jobOf(test, `${file}:${i}`)));
writeFileSync(join(work, 'cases.jobs'), jobs.join(''));
const out = join(work, 'out.jsonl');
execFileSync(join(oracle, 'record'), [work, out], { stdio: 'inherit' });
const answers = new Map(
  readFileSync(out, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer)
    .map((answer) => [answer.prog, answer]),
);
for (const file of files) {
  const tests = readCases(file).map((test, i) => {
    const answer = answers.get(`${file}:${i}`);
    if (answer === undefined) throw new Error(`no answer for ${file}:${i}`);
    return { ...test, err: answer.err, log: comparable(answer.log) };
  });
  writeFileSync(new URL(file, CASES), `${JSON.stringify(tests, null, 2)}\n`);
}
