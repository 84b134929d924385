/**
 * Every rewrite, on programs of ours (test/golden/rewrite/*.c), against what the kernel made of them: the dump, what its
 * JIT was given function by function, the stack. To record again: test/golden/record rewrite
 */
import t from 'tap';
import { loadProfile } from '../../src/service/targets.js';
import { goldenNames, readGolden, type GoldenRecord } from '../golden/golden.js';
import { comparable, fromHex, rewriteGolden, tryGolden, withAddresses } from './golden-programs.js';

const profile = await loadProfile('linux-6.12-arm64');

const stackLine = (record: GoldenRecord): string | undefined => /^stack depth .*$/m.exec(record.log)?.[0];

for (const name of goldenNames('rewrite')) {
  t.test(name, async (t) => {
    for (const record of readGolden('rewrite', name)) {
      t.test(record.program, async (t) => {
        if (record.errno !== 0) {
          const { rewritten } = tryGolden(profile, name, record);
          if (rewritten.ok) throw new Error('the kernel refuses it');
          t.equal(rewritten.failure.errno, record.errno, 'the kernel refuses it');
          t.equal(`stack depth ${rewritten.stackDepths.join('+')}`, stackLine(record), 'the stack by then');
          return;
        }
        const golden = rewriteGolden(profile, name, record);
        const { translated, translatedSymbols, stackDepths, jit } = golden.rewritten;
        const dump = fromHex(record.translated);
        const addressed = withAddresses(translated, translatedSymbols, golden, profile, record, dump);
        t.same(comparable(addressed, 'dump'), comparable(dump, 'dump'), 'the dump');
        t.equal(`stack depth ${stackDepths.join('+')}`, stackLine(record), 'the stack');
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
