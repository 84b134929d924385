/**
 * The maps original → translated → machine code → source line are total and monotone: the answer's lines, the disassembly and failures
 * are told by them.
 */
import t from 'tap';
import { lineEntries } from '../../src/compiler/lines.js';
import { generateCode } from '../../src/compiler/link/generate.js';
import { loadProfile } from '../../src/service/targets.js';
import { goldenNames, readGolden } from '../golden/golden.js';
import { rewriteGolden } from './golden-programs.js';

const profile = await loadProfile('linux-6.12-arm64');

/** Whether no number is below the one before it. */
function ascends(numbers: readonly number[], strictly: boolean): boolean {
  return numbers.every((n, i) => i === 0 || n > numbers[i - 1]! || (!strictly && n === numbers[i - 1]));
}

function functionAt(starts: readonly number[], instruction: number): number {
  return starts.findLastIndex((start) => start <= instruction);
}

for (const name of goldenNames('rewrite')) {
  t.test(name, async (t) => {
    for (const record of readGolden('rewrite', name).filter((r) => r.errno === 0)) {
      const { program, rewritten } = rewriteGolden(profile, name, record);
      const { original, translated, functionStarts, jit, lines } = rewritten;
      const length = program.instructions.length;
      const known = [...original].filter((i) => i !== -1);

      t.equal(original.length, translated.length, `${record.program}: every translated slot has its origin`);
      t.ok(
        known.every((i) => i >= 0 && i < length),
        'which lies in the program as handed in',
      );
      t.ok(ascends(known, false), 'and never goes back');

      t.ok(functionStarts[0] === 0 && ascends(functionStarts, true), 'functions follow one another');
      const cutUp = jit.functions.flatMap((f) => [...f.original]);
      t.same(cutUp, [...original].slice(0, cutUp.length), 'the functions are the program, cut up');
      t.ok(
        [...original].slice(cutUp.length).every((i) => i === -1),
        'but for functions that are none of it',
      );
      t.ok(
        jit.functions.every((f) => f.original.length === f.instructions.length),
        'slot for slot',
      );

      const compiled = generateCode(jit, { cpu: {}, link: null, profile, maps: program.maps });
      if (!compiled.ok) throw new Error(compiled.failure.message);
      compiled.value.forEach((code, f) => {
        const offsets = [...code.offsets];
        const slots = jit.functions[f]!.instructions.length;
        t.ok(offsets.length >= slots && offsets.every((o) => o <= code.code.length), 'every slot has its code');
        t.ok(ascends(offsets, false), 'in order');
        if (lines.length === 0) return;
        const entries = lineEntries(program.btf, rewritten, f, code);
        const inFunction = lines.filter((line) => functionAt(functionStarts, line.instruction) === f);
        t.equal(entries.length, inFunction.length, 'every line of the function has code');
        const places = entries.map((entry) => entry.offset);
        t.equal(places[0], offsets[0], 'the first line starts the function');
        t.ok(ascends(places, false), 'lines follow one another in the code, too');
      });

      t.equal(lines.length > 0, program.lineInfo.length > 0, 'source lines where the program brought some');
      if (lines.length === 0) continue;
      const places = lines.map((line) => line.instruction);
      t.ok(places[0] === 0 && ascends(places, true), 'the first line starts the program, and no two start at once');
      t.ok(
        functionStarts.slice(0, jit.functions.length).every((s) => places.includes(s)),
        'every function starts a line',
      );
      t.ok(
        lines.every(({ instruction, info }) => {
          const from = original[instruction]!;
          return from === -1 || info.instruction <= from;
        }),
        'no instruction belongs to a line behind it',
      );
    }
  });
}
