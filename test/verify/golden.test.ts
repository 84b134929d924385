/**
 * Calls, callbacks, references and what programs own (dynptrs, iterators, lists and trees, timers …), on programs of
 * ours (test/golden/verify/*.c): errno and whole log as the kernel gives them. To record again: test/golden/record verify
 */
import t from 'tap';
import { loadObject } from '../../src/compiler/load/object.js';
import { rewrite } from '../../src/compiler/rewrite/rewrite.js';
import { statisticsText, verify } from '../../src/compiler/verify/verify.js';
import { loadProfile } from '../../src/service/targets.js';
import { goldenNames, readGolden, readGoldenObject } from '../golden/golden.js';
import { comparable } from './cases.js';

const LOG_LEVEL = 2 | 4;

const profile = await loadProfile('linux-6.12-arm64');

interface Answer {
  readonly errno: number;
  readonly log: string;
}

function answer(object: string, name: string): Answer {
  const request = { programs: [name], legacyMaps: false };
  const loaded = loadObject(readGoldenObject('verify', object), profile, request).programs.find((p) => p.name === name);
  if (loaded?.program.ok !== true) throw new Error(`not loaded: ${loaded?.program.failure.message ?? name}`);
  const result = verify(loaded.program.value, profile, { logLevel: LOG_LEVEL });
  if (result.verified === null || result.stats === null) return result;
  const rewritten = rewrite(result.verified);
  if (!rewritten.ok) return { errno: rewritten.failure.errno, log: result.log };
  const stats = { ...result.stats, stackDepths: rewritten.value.stackDepths };
  return { errno: 0, log: result.log + statisticsText(LOG_LEVEL, stats) };
}

for (const object of goldenNames('verify')) {
  void t.test(object, (group) => {
    for (const record of readGolden('verify', object)) {
      const { errno, log } = answer(object, record.program);
      group.equal(errno, record.errno, `${record.program}: errno`);
      group.strictSame(comparable(log), comparable(record.log), `${record.program}: log`);
    }
    group.end();
  });
}
