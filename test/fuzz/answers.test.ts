/**
 * Generated programs against the kernel's answers, recorded with
 * `npx tsx test/fuzz/against-oracle.ts ORACLE GENERATOR FIRST_SEED COUNT test/fuzz/answers/GENERATOR.json`.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { digest, GENERATORS, judge } from './judge.js';

const profile = await loadProfile('linux-6.12-arm64');

for (const [name, generate] of Object.entries(GENERATORS)) {
  void t.test(name, (group) => {
    const file = new URL(`answers/${name}.json`, import.meta.url);
    const answers = JSON.parse(readFileSync(file, 'utf8')) as [seed: number, errno: number, log: string][];
    group.ok(answers.length > 0);
    const ours = answers.map(([seed]) => {
      const { errno, log } = judge(generate(seed, profile), profile);
      return [seed, errno, digest(log)];
    });
    group.strictSame(ours, answers);
    group.end();
  });
}
