/**
 * Asks the kernel again: `npx tsx test/capabilities/record.ts WORK [CASES.json…]`, WORK a directory that
 * `tools/record-target/prepare WORK PACKAGE` has made. What the kernel says is written beside each program.
 */
import { bootQemu } from '../../tools/record-target/machine/machine.js';
import { ARM64 } from '../../tools/record-target/architectures/arm64.js';
import { caseFiles, questionOf, readCases, shownAnswer, writeCases } from './cases.js';
import { LiveKernel } from './kernel.js';

const [work, ...names] = process.argv.slice(2);
if (work === undefined) throw new Error('usage: record.ts WORK [CASES.json…]');
const machine = await bootQemu(ARM64, work);
try {
  const kernel = new LiveKernel(machine.agent);
  for (const file of names.length > 0 ? names : caseFiles()) {
    const cases = await Promise.all(
      readCases(file).map(async (test) => ({ ...test, kernel: shownAnswer(await kernel.ask(questionOf(test))) })),
    );
    writeCases(file, cases);
  }
} finally {
  await machine.stop();
}
