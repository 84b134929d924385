/**
 * Every rewrite, on programs of ours (test/golden/rewrite/*.c), against what the kernel made of them: the dump, what its
 * JIT was given function by function, the stack. To record again: test/golden/record rewrite
 */
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { goldenNames, readGolden } from '../golden/golden.js';
import { comparable, fromHex, rewriteGolden, withAddresses } from './golden-programs.js';

const profile = await loadProfile('linux-6.12-arm64');

for (const name of goldenNames('rewrite')) {
  t.test(name, async (t) => {
    for (const record of readGolden('rewrite', name)) {
      t.test(record.program, async (t) => {
        t.equal(record.errno, 0, 'the kernel accepts it');
        const golden = rewriteGolden(profile, name, record);
        const { translated, translatedSymbols, stackDepths, jit } = golden.rewritten;
        const dump = fromHex(record.translated);
        const addressed = withAddresses(translated, translatedSymbols, golden, profile, record, dump);
        t.same(comparable(addressed, 'dump'), comparable(dump, 'dump'), 'the dump');
        t.equal(`stack depth ${stackDepths.join('+')}`, /^stack depth .*$/m.exec(record.log)?.[0], 'the stack');
        t.equal(jit.functions.length, record.functions.length, 'as many functions');
        record.functions.forEach((fn, f) => {
          const { instructions, symbols, stackDepth } = jit.functions[f]!;
          const expected = fromHex(fn.jitInput);
          const given = withAddresses(instructions, symbols, golden, profile, record, expected);
          t.same(comparable(given, 'jit'), comparable(expected, 'jit'), `what the JIT is given of ${f}`);
          t.equal(stackDepth, fn.stackDepth, `stack of ${f}`);
        });
      });
    }
  });
}
