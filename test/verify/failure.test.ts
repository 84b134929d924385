/** Rejections for machines: class, place, sentence and register, the same at every log level. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { compile } from '../../src/compiler/compile.js';
import type { Failure } from '../../src/compiler/outcome.js';
import { loadProfile } from '../../src/service/targets.js';
import { verify } from '../../src/compiler/verify/verify.js';
import { programOf, type Case } from './cases.js';

const profile = loadProfile();
const CGROUP_SKB = 8;
const TRACING = 26;
const HASH = { type: 1, key: 4, value: 8, entries: 4 };

const CASES: readonly (readonly [code: readonly string[], failure: Partial<Failure>, rest?: Partial<Case>])[] = [
  [['r0 = 0', 'exit', 'exit'], { code: 'CONTROL_FLOW', instruction: 2, message: 'unreachable insn 2' }],
  [['if r1 == 0 goto pc+7', 'r0 = 0', 'exit'], { code: 'CONTROL_FLOW', instruction: 0 }],
  [['r0 = 0', 'r0 += 1'], { code: 'CONTROL_FLOW', instruction: 1 }],
  [['exit'], { code: 'UNINITIALIZED', instruction: 0, message: 'R0 !read_ok' }],
  [['r0 = 0', 'goto pc-1'], { code: 'TOO_COMPLEX', message: 'infinite loop detected at insn 1' }],
  [['r1 = 0', 'r0 = *(u64 *)(r1 +0)', 'exit'], { code: 'MEMORY_ACCESS', instruction: 1, register: 'R1=0' }],
  [['r0 = *(u64 *)(r10 +8)', 'exit'], { code: 'MEMORY_ACCESS', instruction: 0 }],
  [['r10 = 0', 'r0 = 0', 'exit'], { code: 'MALFORMED_INSTRUCTION', instruction: 0 }],
  [['r0 = 7', 'exit'], { code: 'RETURN_VALUE', instruction: 1 }, { type: CGROUP_SKB }],
  [['r0 = 0', 'exit'], { code: 'ATTACH_TARGET', message: 'Tracing programs must provide btf_id' }, { type: TRACING }],
  [['call bpf_skb_store_bytes#9', 'exit'], { code: 'CALL_NOT_ALLOWED', instruction: 0 }],
  [
    ['r1 = map[0]', 'r2 = 0', 'call bpf_map_lookup_elem#1', 'r0 = 0', 'exit'],
    { code: 'ARGUMENT_TYPE', instruction: 3, register: 'R2=0' },
    { maps: [HASH] },
  ],
  [['r0 = r10', 'r0 *= r10', 'exit'], { code: 'POINTER_ARITHMETIC', instruction: 1 }],
];

for (const [code, failure, rest] of CASES) {
  tap.test(code.join('; '), (t) => {
    const program = programOf({ name: '', code, ...rest } as Case);
    const answers = [0, 1, 2, 4].map((logLevel) => verify(program, profile, { logLevel }));
    for (const answer of answers) {
      t.match(answer.failure, { stage: 'VERIFY', errno: answer.errno, ...failure });
      t.strictSame(answer.failure, answers[0]!.failure, 'whatever is logged');
    }
    t.equal(answers[0]!.log, '', 'no log where none is asked for');
    t.end();
  });
}

tap.test('an object: function and source line', (t) => {
  const object = readFileSync(join(import.meta.dirname, '../golden/verify/callbacks.o'));
  const request = { object, programs: [], program: null, cpu: {}, logLevel: 0, legacyMaps: false, link: null };
  const { programs } = compile(request, profile);
  const rejected = programs.filter(({ accepted }) => !accepted);
  t.ok(rejected.length > 5);
  for (const { name, failure } of rejected) {
    t.match(failure, { stage: 'VERIFY', message: /\w/, subprogram: /^\w+$/, source: /^callbacks\.c:\d+$/ }, name);
    t.not(failure?.code, 'REJECTED', name);
  }
  t.end();
});
