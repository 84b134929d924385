/**
 * Prints the JIT's own programs as jobs for the kernel oracle: `npx tsx test/golden/jit-jobs.ts all > jit/programs.jobs`.
 * `atomics` prints those alone whose code depends on the CPU's atomics; they are recorded on a CPU without, too:
 *
 *     ORACLE_CPU=cortex-a57 test/golden/record jit-armv8.0
 *
 * A second word `big` prints them as a big-endian machine has them: `jit-jobs.ts all big > jit-s390x/programs.jobs`.
 */
import { BIG_ENDIAN, LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';
import { ATOMIC_PROGRAMS, PROGRAMS_BY_GROUP } from '../jit/programs.js';
import { assemble } from '../verify/assembler.js';

/** Data for BPF_PROG_TEST_RUN; the programs do not look at it. */
const PACKET = '00'.repeat(64);

const order = process.argv[3] === 'big' ? BIG_ENDIAN : LITTLE_ENDIAN;
const programs = process.argv[2] === 'atomics' ? ATOMIC_PROGRAMS : [...PROGRAMS_BY_GROUP, ...ATOMIC_PROGRAMS];
for (const { name, lines, maps } of programs) {
  const insns = Buffer.from(assemble(lines).toWire(order)).toString('hex');
  const fields = [`name=${name}`, 'type=1', 'log_level=1', ...maps.map((map) => `map=${map}`)];
  console.log([...fields, `insns=${insns}`, `run=${PACKET}`, ''].join('\n'));
}
