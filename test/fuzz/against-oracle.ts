/**
 * Judges generated programs by the kernel and by us: `npx tsx test/fuzz/against-oracle.ts ORACLE FIRST_SEED COUNT`.
 * Prints every seed on which we differ, false accepts first; ends with 1 if there are any of those.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../../src/compiler/load/program.js';
import { rewrite } from '../../src/compiler/rewrite/rewrite.js';
import { statisticsText, verify } from '../../src/compiler/verify/verify.js';
import { loadProfile } from '../../src/service/targets.js';
import { comparable, programOf } from '../verify/cases.js';
import type { Case } from '../verify/cases.js';
import { fuzzProgram } from './program.js';

interface Answer {
  readonly prog: string;
  readonly err: number;
  readonly log: string;
}

const profile = await loadProfile('linux-6.12-arm64');
const [oracle, first, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
if (oracle === undefined || !(count > 0)) throw new Error('usage: against-oracle.ts ORACLE FIRST_SEED COUNT');

function caseOf(seed: number): Case {
  const program = fuzzProgram(seed);
  return { name: String(seed), logLevel: 1, ...program };
}

function jobOf(test: Case): string {
  const maps = (test.maps ?? []).map((m) => `map=${m.type},${m.key},${m.value},${m.entries},0\n`).join('');
  const insns = Buffer.from(programOf(test).instructions.bytes).toString('hex');
  const head = `name=${test.name}\ntype=${test.type}\nattach_type=${test.attachType}\nflags=${test.flags}\n`;
  return `${head}license=GPL\nlog_level=1\n${maps}insns=${insns}\n\n`;
}

/** Errno and log, statistics included, as bpf(2) answers them. */
function judge(program: Program): { errno: number; log: string } {
  const result = verify(program, profile, { logLevel: 5 });
  if (result.verified === null) return result;
  const rewritten = rewrite(result.verified);
  if (!rewritten.ok) return { errno: rewritten.failure.errno, log: result.log };
  const stats = { ...result.stats, stackDepths: rewritten.value.stackDepths };
  return { errno: 0, log: result.log + statisticsText(5, stats) };
}

const work = mkdtempSync(join(tmpdir(), 'verify-fuzz-'));
const cases = Array.from({ length: count }, (_, i) => caseOf(first + i));
writeFileSync(join(work, 'fuzz.jobs'), cases.map(jobOf).join(''));
const out = join(work, 'out.jsonl');
execFileSync(join(oracle, 'record'), [work, out], { stdio: ['ignore', 'ignore', 'inherit'] });
const tally = { accepted: 0, falseAccept: 0, falseReject: 0, errno: 0, log: 0, same: 0 };
for (const line of readFileSync(out, 'utf8').split('\n')) {
  if (line === '') continue;
  const answer = JSON.parse(line) as Answer;
  const test = cases[Number(answer.prog) - first];
  if (test === undefined) continue;
  const ours = judge(programOf(test));
  if (answer.err === 0) tally.accepted++;
  const log = comparable(answer.log).join('\n') === comparable(ours.log).join('\n');
  const kind =
    ours.errno === 0 && answer.err !== 0
      ? 'falseAccept'
      : ours.errno !== 0 && answer.err === 0
        ? 'falseReject'
        : ours.errno !== answer.err
          ? 'errno'
          : log
            ? 'same'
            : 'log';
  tally[kind]++;
  if (kind !== 'same') console.log(`${kind} seed ${answer.prog}: kernel ${answer.err}, we ${ours.errno}`);
}
rmSync(work, { recursive: true });
console.log(JSON.stringify(tally));
process.exitCode = tally.falseAccept > 0 ? 1 : 0;
