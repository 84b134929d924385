/**
 * Branches that go too far. The kernel's first walk over a function measures backward branches from the function's start, so
 * that a loop beyond 2^18 words of code makes its JIT give up, short as its branch may be; and then it interprets.
 *
 * Asked of Linux 6.12.117 with the jobs that this file prints when it is run as a program.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import type { Instructions } from '../../src/compiler/isa/instructions.js';
import { compileProgram } from '../../src/compiler/jit/arm64/jit.js';
import { assemble } from '../verify/assembler.js';
import { OFFSETS } from './corpus.js';

/** Words of code before the loop's first instruction, and SHA-256 of the kernel's code; '' where it had none. */
const ANSWERS: readonly (readonly [number, string])[] = [
  [262142, '451f99bf06f42bcb62ca9382a624b11bb73f87a22422a45f2e66155a8931d0c5'],
  [262143, ''],
];
/** Words of the prologue, `r0 = 0` and `r6 = 2`. */
const AHEAD = 10;
/** Words of an addition whose immediate takes two instructions to load. */
const LARGE = 3;

function loopAt(words: number): Instructions {
  const large = Math.floor((words - AHEAD) / LARGE);
  const lines = [
    'r0 = 0',
    'r6 = 2',
    ...Array<string>(large).fill('r0 += 0x12345678'),
    ...Array<string>(words - AHEAD - large * LARGE).fill('r0 += 1'),
    'r6 += -1',
    'if r6 != 0 goto pc-2',
    'exit',
  ];
  return assemble(lines);
}

function compile(instructions: Instructions): ReturnType<typeof compileProgram> {
  const fn = {
    name: 'main',
    instructions,
    symbols: new Map(),
    stackDepth: 0,
    original: new Int32Array(instructions.length),
    isSubprogram: false,
    exceptionBoundary: false,
    exceptionCallback: false,
    tailCallReachable: false,
  };
  const options = { cpu: { lse: true, bti: false, pac: true }, offsets: OFFSETS, longJumps: true, link: null };
  return compileProgram({ functions: [fn], arenaMap: -1, type: 1 }, options);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'jobs') {
  for (const [words] of ANSWERS) {
    console.log(`name=far${words}\ntype=1\nlog_level=1\ninsns=${Buffer.from(loopAt(words).bytes).toString('hex')}\n`);
  }
} else {
  tap.test('a loop on either side of 2^18 words', (t) => {
    for (const [words, sha256] of ANSWERS) {
      const compiled = compile(loopAt(words));
      if (sha256 === '') t.match(compiled, { ok: false, failure: { code: 'BRANCH_TOO_FAR' } });
      else {
        const code = compiled.ok ? compiled.value[0]!.code : '';
        t.equal(createHash('sha256').update(code).digest('hex'), sha256, `${words} words`);
      }
    }
    t.end();
  });
}
