/**
 * A profile's contexts against the kernel they were recorded from. The answers in contexts-*.jsonl are the live kernel's:
 * random accesses, each in a program of its own. `npx tsx tools/record-target/main.ts NAME … --answers FILE` asks again
 * (docs/targets.md); a line is [type, attach type, offset, size, write, dst, src, allowed, translated].
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { contextDifferences } from '../../tools/record-target/check.js';
import type { ContextAnswer } from '../../tools/record-target/ask/contexts.js';

type Line = [number, number, number, number, boolean, number, number, boolean, string | null];

function answers(file: string): ContextAnswer[] {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [type, attachType, offset, size, write, dst, src, allowed, translated] = JSON.parse(line) as Line;
    return { type, attachType, offset, size, write, dst, src, allowed, translated };
  });
}

const QUESTIONS = 2000;

for (const [target, file] of [
  ['linux-6.12-arm64', './contexts-6.12.jsonl'],
  ['linux-6.1-arm64', './contexts-6.1.jsonl'],
] as const) {
  t.test(`${target}: context accesses`, (t) => {
    const asked = answers(file);
    t.equal(asked.length, QUESTIONS);
    const allowed = asked.filter((answer) => answer.allowed);
    t.ok(allowed.length > 200 && asked.length - allowed.length > 200, 'of both kinds');
    t.ok(allowed.filter((answer) => answer.translated !== null).length > 100, 'and with translations');
    t.strictSame(contextDifferences(loadProfile(target), asked), []);
    t.end();
  });
}

t.test('the comparison notices a difference', (t) => {
  const profile = loadProfile();
  const [wrong] = answers('./contexts-6.12.jsonl');
  t.equal(contextDifferences(profile, [{ ...wrong!, allowed: !wrong!.allowed }]).length, 1);
  t.end();
});
