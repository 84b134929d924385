/**
 * Prints the JIT's own programs as jobs for the kernel oracle: `npx tsx test/golden/jit-jobs.ts all > jit/programs.jobs`.
 * `atomics` prints those alone whose code depends on the CPU's atomics; they are recorded on a CPU without, too:
 *
 *     ORACLE_CPU=cortex-a57 test/golden/record jit-armv8.0
 *
 * `processors` prints what depends on x86-64's features and mitigations, recorded on machines with others than the oracle's:
 *
 *     ORACLE_CPU=Nehalem test/golden/record --target linux-6.12-x86_64 jit-nehalem
 *     KERNEL_OPTIONS=mitigations=off test/golden/record --target linux-6.12-x86_64 jit-unmitigated
 *     ORACLE_CPU=Skylake-Server KERNEL_OPTIONS=retbleed=stuff test/golden/record --target linux-6.12-x86_64 jit-skylake
 *
 * A second word `big` prints them as a big-endian machine has them: `jit-jobs.ts all big > jit-s390x/programs.jobs`.
 */
import { BIG_ENDIAN, LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';
import { ATOMIC_PROGRAMS, PROGRAMS_BY_GROUP } from '../jit/programs.js';
import { assemble } from '../verify/assembler.js';

/** Data for BPF_PROG_TEST_RUN; the programs do not look at it. */
const PACKET = '00'.repeat(64);

const order = process.argv[3] === 'big' ? BIG_ENDIAN : LITTLE_ENDIAN;
const BY_PROCESSOR = /^[rw] (<<|s?>>)=|^(subprograms|helper calls|tail calls)/;
const programs = chosen(process.argv[2] ?? 'all');

function chosen(which: string): typeof PROGRAMS_BY_GROUP {
  if (which === 'atomics') return ATOMIC_PROGRAMS;
  if (which === 'processors') return PROGRAMS_BY_GROUP.filter(({ name }) => BY_PROCESSOR.test(name));
  return [...PROGRAMS_BY_GROUP, ...ATOMIC_PROGRAMS];
}

for (const { name, lines, maps } of programs) {
  const insns = Buffer.from(assemble(lines).toWire(order)).toString('hex');
  const fields = [`name=${name}`, 'type=1', 'log_level=1', ...maps.map((map) => `map=${map}`)];
  console.log([...fields, `insns=${insns}`, `run=${PACKET}`, ''].join('\n'));
}
