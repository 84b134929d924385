import t from 'tap';
import { statisticsText, verify } from '../../src/compiler/verify/verify.js';
import { rewrite } from '../../src/compiler/rewrite/rewrite.js';
import { loadProfile } from '../../src/service/targets.js';
import { caseFiles, comparable, programOf, readCases } from './cases.js';
import type { Case } from './cases.js';

const profile = await loadProfile('linux-6.12-arm64');

/** Errno and whole log, the statistics behind the rewrites included, as the kernel gives them. */
function answer(test: Case): { errno: number; log: string } {
  const logLevel = (test.logLevel ?? 2) | 4;
  const result = verify(programOf(test), profile, { logLevel });
  if (result.errno !== 0 || result.verified === null) return result;
  const rewritten = rewrite(result.verified);
  if (!rewritten.ok) return { errno: rewritten.failure.errno, log: result.log };
  const stats = { ...result.stats, stackDepths: rewritten.value.stackDepths };
  return { errno: 0, log: result.log + statisticsText(logLevel, stats) };
}

for (const file of caseFiles()) {
  void t.test(file, (group) => {
    for (const test of readCases(file)) {
      const { errno, log } = answer(test);
      group.equal(errno, test.err, `${test.name}: errno`);
      group.strictSame(comparable(log), test.log, `${test.name}: log`);
    }
    group.end();
  });
}
