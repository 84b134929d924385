/** Behaviours are words that a recording may hold, each decided by a probe. */
import t from 'tap';
import { behaviourOf, FEATURES } from '../../src/compiler/targets/behaviour.js';
import { loadProfile, targetNames } from '../../src/service/targets.js';
import { FEATURE_LOGS, FEATURE_PROGRAMS } from '../../tools/record-target/ask/features.js';

const words = FEATURES.map(({ word }) => word);

t.test('the table', async (t) => {
  t.strictSame(words, [...new Set(words)].sort(), 'each once, in order');
  const byProgram = FEATURES.filter(({ probe }) => probe.startsWith('a program')).map(({ word }) => word);
  t.strictSame(byProgram, Object.keys(FEATURE_PROGRAMS).sort(), 'each program decides one, and none is without');
  const byLog = FEATURES.filter(({ probe }) => probe === 'its log of a program').map(({ word }) => word);
  t.strictSame(byLog, Object.keys(FEATURE_LOGS).sort(), 'so does each that is logged');
  const members = FEATURES.flatMap(({ member }) => (member === null ? [] : [member]));
  t.strictSame(members, [...new Set(members)], 'one word decides one member');
});

t.test('every recorded word is known, and decides its member alone', async (t) => {
  for (const name of targetNames()) {
    const { features, behaviour } = loadProfile(name);
    t.strictSame(features.filter((word) => !words.includes(word)), [], name);
    t.strictSame(behaviour, behaviourOf(features));
  }
  for (const { word, member } of FEATURES) {
    const on = Object.entries(behaviourOf([word])).filter(([, decided]) => decided);
    t.strictSame(on.map(([key]) => key), member === null ? [] : [member], word);
  }
});
