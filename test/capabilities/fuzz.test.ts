/**
 * Generated programs of processes with few capabilities against the kernel's answers, recorded with
 * `npx tsx test/capabilities/fuzz.ts WORK lesser FIRST_SEED COUNT test/capabilities/answers.json`.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { answerDigest, fuzzAnswer, fuzzQuestion, GENERATORS } from './judge.js';

const profile = loadProfile('linux-6.12-arm64');
const file = new URL('answers.json', import.meta.url);
const answers = JSON.parse(readFileSync(file, 'utf8')) as [seed: number, errno: number, digest: string][];

t.ok(answers.length > 0);
const ours = answers.map(([seed]) => {
  const question = fuzzQuestion(GENERATORS['lesser']!, seed);
  const answer = fuzzAnswer(question, { functions: [], maps: [] }, profile);
  return [seed, answer.errno, answerDigest(answer)];
});
t.strictSame(ours, answers);
