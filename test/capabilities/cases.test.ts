/** Programs of processes with fewer capabilities: errno, log, translated instructions and code as the kernel gave them. */
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { caseFiles, ourAnswer, questionOf, readCases } from './cases.js';

const profile = await loadProfile('linux-6.12-arm64');

for (const file of caseFiles()) {
  void t.test(file, (group) => {
    for (const test of readCases(file)) {
      const { code, ...ours } = ourAnswer(questionOf(test), test.kernel!, profile);
      group.not(code, 'UNSUPPORTED', `${test.name}: judged`);
      group.strictSame(ours, test.kernel, test.name);
    }
    group.end();
  });
}
