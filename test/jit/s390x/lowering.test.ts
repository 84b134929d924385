/** What no golden program shows: calls of kernel functions with narrow arguments, expolines, casts that a linker completes. */
import tap from 'tap';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import type { Instructions } from '../../../src/compiler/isa/instructions.js';
import type { CompiledFunction, JitFunction } from '../../../src/compiler/jit/program.js';
import { disassemble } from '../../../src/compiler/jit/s390x/disassemble.js';
import { compileProgram } from '../../../src/compiler/jit/s390x/jit.js';
import { assemble } from '../../verify/assembler.js';
import { jitFunction, OFFSETS } from './recordings.js';

function compile(insns: Instructions, more: Partial<JitFunction>, expolines = false, arenaMap = -1): CompiledFunction {
  const compiled = compileProgram(
    { functions: [jitFunction(insns, more)], arenaMap, type: 1 },
    { cpu: { expolines }, offsets: OFFSETS, longJumps: true, link: null },
  );
  if (!compiled.ok) throw new Error(compiled.failure.message);
  return compiled.value[0]!;
}

/** The instructions of slots [from, to), and of the rest of the function where `to` is left out. */
function text(fn: CompiledFunction, from: number, to?: number): string[] {
  const code = fn.code.subarray(fn.offsets[from], to === undefined ? undefined : fn.offsets[to]);
  return disassemble(code, 0).map(({ mnemonic, opStr }) => `${mnemonic} ${opStr}`);
}

const CALL = assemble(['call kernel#1', 'exit']);
const symbols = new Map([[0, { kind: 'kernel', name: 'bpf_x', addend: 0 } as const]]);

tap.test('arguments of kernel functions are extended as their types say', (t) => {
  const widths = [1, 2, 4, 8];
  const extended = (signed: boolean): string[] => {
    const models = widths.map((bytes) => ({ bytes, signed }));
    const fn = compile(CALL.clone(), { symbols, kernelCalls: new Map([[0, models]]) });
    return text(fn, 0, 1).filter((line) => /^l.*%r(\d+),%r\1$/.test(line));
  };
  t.same(extended(true), ['lgbr %r2,%r2', 'lghr %r3,%r3', 'lgfr %r4,%r4']);
  t.same(extended(false), ['llgcr %r2,%r2', 'llghr %r3,%r3', 'llgfr %r4,%r4']);
  t.throws(() => compile(CALL.clone(), { symbols }), 'nothing says what the function takes');
  t.throws(() => compile(CALL.clone(), { symbols, kernelCalls: new Map([[0, [{ bytes: 16, signed: false }]]]) }));
  t.end();
});

tap.test('with expolines, indirect branches are executed from elsewhere', (t) => {
  const call = compile(assemble(['call bpf_x#1', 'exit']), { symbols }, true);
  const lines = text(call, 0);
  const thunk = lines.findIndex((line) => line.startsWith('brasl %r14,'));
  t.ok(thunk > 0, 'the call goes through a thunk');
  t.same(
    lines.filter((line) => /^(exrl|brc 15|bcr 15)/.test(line)).map((line) => line.split(',')[0]),
    ['exrl %r0', 'brc 15', 'bcr 15', 'exrl %r0', 'brc 15', 'bcr 15', 'bcr 15'],
    'the return, the thunk, and the stub for trampolines without',
  );

  const tail = assemble(['r3 = 1', 'call bpf_x#0', 'exit']);
  tail.setOpcode(1, isa.JMP | isa.TAIL_CALL);
  t.match(text(compile(tail.clone(), {}, true), 1, 2).join('\n'), /aghi %r1,12\nbrcl 15,/);
  t.match(text(compile(tail, {}, false), 1, 2).join('\n'), /bc 15,12\(%r1\)$/);
  t.end();
});

tap.test('without a link, the arena is two literals, each with its relocation', (t) => {
  const cast = assemble(['r2 = r1', 'r0 = r2', 'exit']);
  cast.setOff(0, isa.ADDR_SPACE_CAST);
  cast.setImm(0, 1 << 16);
  const fn = compile(cast, {}, false, 0);
  t.match(text(fn, 0, 1).join('\n'), /^ltgr %r3,%r2\nbrc 8,0x14\nlgrl %r0,\S+\nrisbg %r3,%r0,0,31,0$/);
  const sides = fn.relocations.map(({ symbol }) => ('side' in symbol ? symbol.side : symbol.kind));
  t.same(sides, ['function', 'function', 'kernel', 'user']);
  t.end();
});
