import t from 'tap';
import { IdMap } from '../../../src/compiler/verify/prune/id-map.js';
import { ADD_CONST } from '../../../src/compiler/verify/state.js';

t.test('ids stand for each other one to one', (t) => {
  const map = new IdMap();
  map.reset(10);
  t.ok(map.match(0, 0));
  t.notOk(map.match(1, 0));
  t.notOk(map.match(0, 1));
  t.ok(map.match(1, 7));
  t.ok(map.match(1, 7));
  t.notOk(map.match(1, 8), 'the old id already stands for another');
  t.notOk(map.match(2, 7), 'the new id is taken');
  map.reset(10);
  t.ok(map.match(2, 7), 'forgotten');
  t.end();
});

t.test('scalars: linked once, linked in both; unlinked registers are all different', (t) => {
  const map = new IdMap();
  map.reset(10);
  t.ok(map.matchScalar(0, 5), 'a link that the old state did not rely on');
  t.ok(map.matchScalar(3, 0), 'one register without id stands for the old id');
  t.notOk(map.matchScalar(3, 0), 'a second one is not linked to it');
  map.reset(10);
  t.ok(map.matchScalar(1, 4));
  t.notOk(map.matchScalar(1 | ADD_CONST, 6 | ADD_CONST), 'an offset from another base');
  t.end();
});
