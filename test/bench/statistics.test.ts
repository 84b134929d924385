import t from 'tap';
import { median } from '../../bench/statistics.js';

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
