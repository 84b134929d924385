import t from 'tap';
import { leastOf, median, slope } from '../../bench/statistics.js';

void t.test('median', (t) => {
  t.equal(median([3]), 3);
  t.equal(median([10, 1, 2]), 2, 'the middle one, by value');
  t.equal(median([10, 1, 2, 4]), 3, 'the mean of the middle two');
  t.ok(Number.isNaN(median([])));
  const values = [2, 1];
  median(values);
  t.same(values, [2, 1], 'the values stay as they are');
  t.end();
});

void t.test('the least of each window', (t) => {
  /** A heap that is collected every 0.7 minutes and holds 2 MiB more each minute. */
  const heap = Array.from({ length: 120 }, (_, i) => [i / 12, 50 + i / 6 + ((i / 12) % 0.7) * 100] as const);
  const least = leastOf(heap, 1);
  t.equal(least.length, 10);
  t.ok(least.every(([, value], minute) => value < 50 + 2 * (minute + 1) + 10));
  t.ok(Math.abs(slope(least) - 2) < 1, 'rises as what is held does');
  t.end();
});
