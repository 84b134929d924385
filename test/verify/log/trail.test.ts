/** A log that prints only what is left of a first, quiet run ends as one that prints everything and cuts. */
import t from 'tap';
import { VerifierLog } from '../../../src/compiler/verify/log/log.js';
import { Trail } from '../../../src/compiler/verify/log/trail.js';
import { Random } from '../../fuzz/random.js';

t.test('what was cut is passed over', (t) => {
  const trail = new Trail();
  for (const position of [0, 10, 20]) trail.add(position);
  trail.cut(10);
  trail.add(10);
  const isLeft = trail.follow();
  t.strictSame([isLeft(), isLeft(), isLeft(), isLeft(), isLeft()], [true, false, false, true, false]);
  t.end();
});

/** A walk as the driver makes it: instructions in turn, paths put off, paths taken up again, the newest first. */
function walk(log: VerifierLog, seed: number): string {
  const random = new Random(seed);
  const pending: number[] = [];
  for (let i = 0; i < 200; i++) {
    if (log.enter(8)) log.write(`${i}: ${'x'.repeat(i % 7)}\n`);
    const dice = random.below(10);
    if (dice < 3) pending.push(log.position);
    else if (dice < 5) {
      log.write('safe\n');
      const position = pending.pop();
      if (position !== undefined) log.reset(position);
    }
  }
  log.write('the end\n');
  return log.toString();
}

t.test('random walks', (t) => {
  for (let seed = 0; seed < 200; seed++) {
    const quiet = new VerifierLog(1, true);
    walk(quiet, seed);
    t.equal(walk(new VerifierLog(1, false, quiet.trail), seed), walk(new VerifierLog(1, false), seed), `seed ${seed}`);
  }
  t.end();
});

t.test('nothing is told where the buffer may have been too small', (t) => {
  const quiet = new VerifierLog(1, true);
  for (let i = 0; i < 1 << 14; i++) quiet.enter(2048);
  t.equal(quiet.trail, null);
  t.ok(quiet.overflowed);
  t.end();
});
