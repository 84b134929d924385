/**
 * Prints the JIT's own programs as jobs for the kernel oracle: `npx tsx test/golden/jit-jobs.ts all > jit/programs.jobs`.
 * `atomics` prints those alone whose code depends on the CPU's atomics; they are recorded on a CPU without, too:
 *
 *     ORACLE_CPU=cortex-a57 test/golden/record jit-armv8.0
 */
import { ATOMIC_PROGRAMS, PROGRAMS_BY_GROUP } from '../jit/programs.js';
import { assemble } from '../verify/assembler.js';

/** Data for BPF_PROG_TEST_RUN; the programs do not look at it. */
const PACKET = '00'.repeat(64);

const programs = process.argv[2] === 'atomics' ? ATOMIC_PROGRAMS : [...PROGRAMS_BY_GROUP, ...ATOMIC_PROGRAMS];
for (const { name, lines, maps } of programs) {
  const insns = Buffer.from(assemble(lines).bytes).toString('hex');
  const fields = [`name=${name}`, 'type=1', 'log_level=1', ...maps.map((map) => `map=${map}`)];
  console.log([...fields, `insns=${insns}`, `run=${PACKET}`, ''].join('\n'));
}
