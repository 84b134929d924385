/**
 * Judges generated programs by the kernel and by us, as processes of few capabilities:
 * `npx tsx test/capabilities/fuzz.ts WORK GENERATOR FIRST_SEED COUNT [ANSWERS.json]`, WORK as for record.ts, GENERATOR one
 * of GENERATORS below. Prints every seed on which we differ in errno, log, translated instructions or code, and writes
 * digests of the kernel's answers where a file is named; ends with 1 if we accept what the kernel rejects.
 */
import { writeFileSync } from 'node:fs';
import { loadProfile } from '../../src/service/targets.js';
import { bootQemu } from '../../tools/record-target/machine/machine.js';
import { ARM64 } from '../../tools/record-target/architectures/arm64.js';
import { shownAnswer } from './cases.js';
import { answerDigest, fuzzAnswer, fuzzQuestion, GENERATORS, isShort } from './judge.js';
import { LiveKernel } from './kernel.js';

const [work, name, firstText, countText, answersFile] = process.argv.slice(2);
const generator = GENERATORS[name ?? ''];
const first = Number(firstText);
const count = Number(countText);
if (work === undefined || generator === undefined || !(count > 0))
  throw new Error('usage: fuzz.ts WORK GENERATOR FIRST_SEED COUNT [ANSWERS.json]');

const profile = loadProfile('linux-6.12-arm64');
const machine = await bootQemu(ARM64, work);
const tally = { accepted: 0, same: 0, falseAccept: 0, falseReject: 0, errno: 0, log: 0, translated: 0, code: 0 };
const answers: [seed: number, errno: number, digest: string][] = [];

async function judge(seed: number, kernel: LiveKernel): Promise<void> {
  const question = fuzzQuestion(generator!, seed);
  if (!isShort(question, profile)) return;
  const theirs = shownAnswer(await kernel.ask(question));
  const { code, ...ours } = fuzzAnswer(question, theirs, profile);
  if (theirs.errno === 0) tally.accepted++;
  answers.push([seed, theirs.errno, answerDigest(theirs)]);
  const kind = compare(ours, theirs);
  tally[kind]++;
  if (kind !== 'same') console.log(`${kind} seed ${seed}: kernel ${theirs.errno}, we ${ours.errno} ${code}`);
}

function compare(ours: ReturnType<typeof shownAnswer>, theirs: ReturnType<typeof shownAnswer>): keyof typeof tally {
  if (ours.errno === 0 && theirs.errno !== 0) return 'falseAccept';
  if (ours.errno !== 0 && theirs.errno === 0) return 'falseReject';
  if (ours.errno !== theirs.errno) return 'errno';
  if (ours.log.join('\n') !== theirs.log.join('\n')) return 'log';
  if (ours.translated !== theirs.translated) return 'translated';
  return JSON.stringify(ours.functions) === JSON.stringify(theirs.functions) ? 'same' : 'code';
}

try {
  const kernel = new LiveKernel(machine.agent);
  const BATCH = 64;
  for (let seed = first; seed < first + count; seed += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, first + count - seed) }, (_, i) => seed + i);
    await Promise.all(seeds.map((each) => judge(each, kernel)));
  }
} finally {
  await machine.stop();
}
answers.sort(([a], [b]) => a - b);
if (answersFile !== undefined)
  writeFileSync(answersFile, `[\n${answers.map((a) => JSON.stringify(a)).join(',\n')}\n]\n`);
console.log(JSON.stringify(tally));
process.exitCode = tally.falseAccept > 0 ? 1 : 0;
