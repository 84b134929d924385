/** The kernel's checks of a program's BTF: verdict and log of every case as recorded. To record again: tsx test/btf/record.ts */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readBtf } from '../../src/compiler/btf/read.js';
import { parseStructRecords } from '../../src/compiler/btf/struct-records.js';
import { validateBtf } from '../../src/compiler/btf/validate.js';
import { kptrTargets } from '../../src/compiler/load/kptr-targets.js';
import { loadProfile } from '../../src/service/targets.js';
import { VERDICT_CASES } from './verdict-cases.js';

interface Verdict {
  readonly name: string;
  readonly errno: number;
  /** Null where libbpf did not hand the blob to the kernel, or there is nothing to say. */
  readonly log: string | null;
}

const verdicts = JSON.parse(readFileSync(join(import.meta.dirname, 'verdicts.json'), 'utf8')) as Verdict[];
const kernel = kptrTargets(await loadProfile('linux-6.12-arm64'));

/** What BPF_BTF_LOAD answers: the checks of types, then of special fields. */
function load(blob: Uint8Array): { errno: number; log: string } {
  const verdict = validateBtf(blob);
  if (verdict.errno !== 0) return verdict;
  const btf = readBtf(blob, null, '');
  if (!btf.ok) return { errno: 1, log: `taken by the kernel's checks, not by the reader: ${btf.failure.message}` };
  const records = parseStructRecords(btf.value, kernel);
  return { errno: typeof records === 'number' ? records : 0, log: '' };
}

t.same(
  verdicts.map(({ name }) => name),
  Object.keys(VERDICT_CASES),
  'every case has been recorded',
);
t.ok(verdicts.filter(({ log }) => log !== null).length > 60, 'most with their log');

for (const { name, errno, log } of verdicts) {
  t.test(name, async (t) => {
    const verdict = load(VERDICT_CASES[name]!);
    t.equal(verdict.errno, errno, 'verdict');
    if (log !== null && verdict.log !== '') t.equal(verdict.log.trimEnd(), log.trimEnd(), 'log');
  });
}
