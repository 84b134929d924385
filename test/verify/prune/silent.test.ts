/**
 * Without a log at level 2 nothing is traced twice; with one every step is, since the log tells it. Both must come to the
 * same marks, and so to the same search: the oracle for what the silent way leaves out.
 */
import t from 'tap';
import { loadProfile } from '../../../src/service/targets.js';
import { verify } from '../../../src/compiler/verify/verify.js';
import { GENERATORS } from '../../fuzz/judge.js';

const PROGRAMS = 60;
const LONGEST = 2000;

const profile = await loadProfile('linux-6.12-arm64');

for (const [name, generate] of Object.entries(GENERATORS)) {
  void t.test(name, (group) => {
    let traced = 0;
    for (let seed = 0; seed < PROGRAMS; seed++) {
      const program = generate(seed, profile);
      const silent = verify(program, profile, { logLevel: 0 });
      if ((silent.stats?.processedInstructions ?? 0) > LONGEST) continue; // text of every step takes its time
      const loud = verify(program, profile, { logLevel: 2 });
      if (loud.log.includes('mark_precise')) traced++;
      if (silent.errno === loud.errno && JSON.stringify(silent.stats) === JSON.stringify(loud.stats)) continue;
      group.strictSame([silent.errno, silent.stats], [loud.errno, loud.stats], `seed ${seed}`);
    }
    group.ok(traced > PROGRAMS / 10, `${traced} programs trace precision`);
    group.end();
  });
}
