/** Filling in addresses: the form in which the kernel hands instructions to its JIT, and what stays a relocation. */
import tap from 'tap';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { addOffset, addressOf, addressValue, distance } from '../../src/compiler/jit/address.js';
import type { JitFunction, JitProgram, SymbolRef } from '../../src/compiler/jit/program.js';
import { resolve, type LinkAddresses } from '../../src/compiler/link/resolve.js';
import type { MapSpec } from '../../src/compiler/load/program.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { assemble } from '../verify/assembler.js';

const BASE = 0xffff_8000_8026_37c8n;
const SYMBOLS: Readonly<Record<string, bigint>> = { __bpf_call_base: BASE, near: BASE - 0x1234n, far: 0x1000n };
const profile = {
  symbols: {
    size: 0,
    address: (name: string) => {
      const known = SYMBOLS[name];
      return known === undefined ? null : [Number(known >> 32n), Number(known & 0xffff_ffffn)];
    },
  },
} as unknown as Profile;
const maps = [{ name: 'counts' }, { name: 'arena' }] as unknown as MapSpec[];

const LINK: LinkAddresses = {
  functions: [0xffff_8000_8100_0000n, 0xffff_8000_8100_0100n],
  maps: new Map([
    ['counts', { address: 0xffff_0000_0101_0000n, valueAddress: 0xffff_0000_fff0_0108n, kernelAddress: 0n }],
    ['arena', { address: 0xffff_0000_0202_0000n, valueAddress: 0x1_0000_0000n, kernelAddress: 0xffff_8000_a000_9000n }],
  ]),
  symbols: new Map([['mine', BASE + 0x40n]]),
  programAux: 0n,
};

function program(lines: readonly string[], symbols: readonly (readonly [number, SymbolRef])[]): JitProgram {
  const fn = { name: 'main', instructions: assemble(lines), symbols: new Map(symbols) } as unknown as JitFunction;
  return { functions: [fn], arenaMap: 1, type: 1 };
}

tap.test('every kind of symbol', (t) => {
  const lines = [
    'r1 = 0 ll',
    'r2 = 0 ll',
    'call pc+0',
    'r3 = func pc+0',
    'call bpf_x#0',
    'call bpf_x#0',
    'r4 = 0 ll',
    'exit',
  ];
  const resolved = resolve(
    program(lines, [
      [0, { kind: 'map', index: 0 }],
      [2, { kind: 'mapValue', index: 0, addend: 0x100000 }],
      [4, { kind: 'function', index: 1 }],
      [5, { kind: 'function', index: 1 }],
      [7, { kind: 'kernel', name: 'near', addend: 0 }],
      [8, { kind: 'kernel', name: 'mine', addend: 0 }],
      [9, { kind: 'programAux', addend: 0 }],
    ]),
    maps,
    LINK,
    profile,
  );
  if (!resolved.ok) throw new Error(resolved.failure.message);
  const [fn] = resolved.value.program.functions;
  const { instructions, symbols } = fn!;
  const constant = (i: number): bigint => addressValue({ hi: instructions.imm(i + 1), lo: instructions.imm(i) });
  t.equal(constant(0), 0xffff_0000_0101_0000n, 'a map');
  t.equal(constant(2), 0xffff_0001_0000_0108n, 'a place in its value, with a carry');
  t.equal(instructions.off(4), 1, 'a call names the function by its index');
  t.equal(constant(5), 0xffff_8000_8100_0100n, 'a function by its address');
  t.equal(instructions.src(5), isa.PSEUDO_FUNC);
  t.equal(instructions.imm(7), -0x1234, 'a call counts from __bpf_call_base');
  t.equal(instructions.imm(8), 0x40, "the link's symbols come first");
  t.same([...symbols.keys()], [9], 'what is not told stays a symbol');
  t.same(resolved.value.link.arena, {
    kernel: addressOf(0xffff_8000_a000_9000n),
    user: addressOf(0x1_0000_0000n),
  });
  t.end();
});

tap.test('a kernel function out of range', (t) => {
  const asked = program(['call bpf_x#0', 'exit'], [[0, { kind: 'kernel', name: 'far', addend: 0 }]]);
  t.match(resolve(asked, maps, LINK, profile), { ok: false, failure: { stage: 'LINK', code: 'LINK_OUT_OF_RANGE' } });
  t.end();
});

tap.test('64-bit addresses as halves', (t) => {
  const cases: readonly (readonly [bigint, number])[] = [
    [0xffff_8000_ffff_fff0n, 0x20],
    [0xffff_8001_0000_0010n, -0x20],
    [0xffff_ffff_ffff_ffffn, 1],
    [0x0000_0000_8000_0000n, -0x8000_0000],
  ];
  for (const [start, offset] of cases) {
    const moved = addOffset(addressOf(start), offset);
    t.equal(addressValue(moved), BigInt.asUintN(64, start + BigInt(offset)));
    t.equal(distance(moved, addressOf(start)), offset);
  }
  t.equal(distance(addressOf(0xffff_8000_0000_0000n), addressOf(0n)), -0x8000_0000_0000);
  t.end();
});
