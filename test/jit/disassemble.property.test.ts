/** What we encode, a disassembler reads back with the operands that went in (capstone; random operands). */
import { Capstone, Const, loadCapstone } from 'capstone-wasm';
import fc from 'fast-check';
import tap from 'tap';
import * as a from '../../src/compiler/jit/arm64/encode/arithmetic.js';
import * as at from '../../src/compiler/jit/arm64/encode/atomic.js';
import * as b from '../../src/compiler/jit/arm64/encode/bitfield.js';
import * as br from '../../src/compiler/jit/arm64/encode/branch.js';
import * as imm from '../../src/compiler/jit/arm64/encode/immediates.js';
import * as mem from '../../src/compiler/jit/arm64/encode/memory.js';
import * as m from '../../src/compiler/jit/arm64/encode/move.js';

await loadCapstone();
const capstone = new Capstone(Const['CS_ARCH_ARM64']!, Const['CS_MODE_LITTLE_ENDIAN']!);
tap.teardown(() => capstone.close());

/** Where the disassembled instruction is thought to lie: branch targets are absolute in its text. */
const PC = 0x4000_0000;

/** Mnemonic and operands, numbers in decimal. */
function text(word: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, word, true);
  const [instruction] = capstone.disasm(bytes, { address: PC });
  if (instruction === undefined) return `.word 0x${(word >>> 0).toString(16)}`;
  const operands = instruction.opStr.replace(/-?0x[0-9a-f]+/g, (hex) =>
    hex.startsWith('-') ? `-${BigInt(hex.slice(1))}` : `${BigInt(hex)}`,
  );
  return `${instruction.mnemonic} ${operands}`.trimEnd();
}

/** x0…x28: numbers above have names of their own. */
const register = fc.integer({ min: 0, max: 28 });
const wide = fc.boolean();
const r = (isWide: boolean, n: number): string => `${isWide ? 'x' : 'w'}${n}`;

function property<T>(name: string, check: fc.IProperty<T>): void {
  tap.test(name, (t) => {
    t.doesNotThrow(() => fc.assert(check, { numRuns: 300, seed: 612 }));
    t.end();
  });
}

const same = (word: number, expected: string): void => {
  const got = text(word);
  if (got !== expected) throw new Error(`${got} instead of ${expected}`);
};

type ThreeRegisters = (wide: boolean, rd: number, rn: number, rm: number) => number;
const THREE_REGISTERS: readonly (readonly [string, ThreeRegisters])[] = [
  ['add', a.add],
  ['sub', a.sub],
  ['and', a.and],
  ['orr', a.orr],
  ['eor', a.eor],
  ['mul', a.mul],
  ['udiv', a.udiv],
  ['sdiv', a.sdiv],
  ['lsl', a.lslv],
  ['lsr', a.lsrv],
  ['asr', a.asrv],
];
for (const [name, encode] of THREE_REGISTERS) {
  property(
    `${name} of registers`,
    fc.property(wide, register, register, register, (w, d, n, k) =>
      same(encode(w, d, n, k), `${name} ${r(w, d)}, ${r(w, n)}, ${r(w, k)}`),
    ),
  );
}

property(
  'msub',
  fc.property(wide, register, register, register, register, (w, d, n, k, s) =>
    same(a.msub(w, d, n, k, s), `msub ${r(w, d)}, ${r(w, n)}, ${r(w, k)}, ${r(w, s)}`),
  ),
);

for (const [name, encode] of [
  ['add', a.addImmediate],
  ['sub', a.subImmediate],
] as const) {
  property(
    `${name} of immediates`,
    fc.property(
      wide,
      register,
      register,
      fc.integer({ min: 0, max: 4095 }),
      fc.boolean(),
      (w, d, n, value, shifted) => {
        const field = imm.maybeAddSubImmediate(shifted ? value << 12 : value)!;
        const shift = shifted && value !== 0 ? ', lsl #12' : '';
        same(encode(w, d, n, field), `${name} ${r(w, d)}, ${r(w, n)}, #${value}${shift}`);
      },
    ),
  );
}

property(
  'logical immediates',
  fc.property(
    register,
    register,
    fc.integer({ min: 1, max: 63 }),
    fc.integer({ min: 0, max: 63 }),
    (d, n, ones, at) => {
      const run = (1n << BigInt(ones)) - 1n;
      const value = BigInt.asUintN(64, (run << BigInt(at)) | (run >> BigInt(64 - at)));
      const hi = Number(BigInt.asIntN(32, value >> 32n));
      const field = imm.maybeLogicalImmediate(true, hi, Number(BigInt.asIntN(32, value)))!;
      const read = text(a.eorImmediate(true, d, n, field)).replace(
        /#(-?\d+)/,
        (_, v: string) => `#${BigInt.asUintN(64, BigInt(v))}`,
      );
      const expected = `eor x${d}, x${n}, #${value}`;
      if (read !== expected) throw new Error(`${read} instead of ${expected}`);
    },
  ),
);

for (const [name, encode] of [
  ['lsl', b.lsl],
  ['lsr', b.lsr],
  ['asr', b.asr],
] as const) {
  property(
    `${name} by a constant`,
    fc.property(wide, register, register, fc.integer({ min: 1, max: 31 }), (w, d, n, shift) =>
      same(encode(w, d, n, shift), `${name} ${r(w, d)}, ${r(w, n)}, #${shift}`),
    ),
  );
}

property(
  'movk',
  fc.property(register, fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 1, max: 3 }), (d, value, lane) =>
    same(m.movk(true, d, value, lane), `movk x${d}, #${value}, lsl #${16 * lane}`),
  ),
);

const SUFFIX = ['b', 'h', '', ''];
property(
  'loads and stores with an offset',
  fc.property(
    fc.boolean(),
    fc.integer({ min: 0, max: 3 }),
    register,
    register,
    fc.integer({ min: 0, max: 4095 }),
    (store, size, t, n, units) => {
      const offset = units << size;
      const field = imm.maybeScaledOffset(offset, size)!;
      const word = store ? mem.storeOffset(size, t, n, field) : mem.loadOffset(size, t, n, field);
      const place = offset === 0 ? `[x${n}]` : `[x${n}, #${offset}]`;
      same(word, `${store ? 'str' : 'ldr'}${SUFFIX[size]} ${r(size === 3, t)}, ${place}`);
    },
  ),
);

property(
  'loads and stores with an index',
  fc.property(fc.boolean(), fc.integer({ min: 0, max: 3 }), register, register, register, (store, size, t, n, k) => {
    const word = store ? mem.storeIndexed(size, t, n, k) : mem.loadIndexed(size, t, n, k);
    same(word, `${store ? 'str' : 'ldr'}${SUFFIX[size]} ${r(size === 3, t)}, [x${n}, x${k}]`);
  }),
);

property(
  'pairs',
  fc.property(
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 10, max: 19 }),
    fc.integer({ min: 20, max: 28 }),
    (x, y, n) => {
      same(mem.push(x, y, n), `stp x${x}, x${y}, [x${n}, #-16]!`);
      same(mem.pop(x, y, n), `ldp x${x}, x${y}, [x${n}], #16`);
    },
  ),
);

property(
  'atomics',
  fc.property(wide, register, register, register, (w, s, t, n) => {
    same(at.atomicFetch(w, at.LSE_ADD, s, t, n), `ldaddal ${r(w, s)}, ${r(w, t)}, [x${n}]`);
    same(at.compareAndSwap(w, s, t, n), `casal ${r(w, s)}, ${r(w, t)}, [x${n}]`);
    same(at.loadExclusive(w, t, n), `ldxr ${r(w, t)}, [x${n}]`);
    same(at.storeReleaseExclusive(w, s, t, n), `stlxr w${s}, ${r(w, t)}, [x${n}]`);
  }),
);

property(
  'branches',
  fc.property(wide, register, fc.integer({ min: -0x40000, max: 0x3ffff }), (w, t, words) => {
    const target = `#${PC + 4 * words}`;
    const near = imm.maybeShortDistance(words)!;
    same(br.branchIfZero(w, t, near), `cbz ${r(w, t)}, ${target}`);
    same(br.branchIfNotZero(w, t, near), `cbnz ${r(w, t)}, ${target}`);
    same(br.branchIf(1, near), `b.ne ${target}`);
    same(br.branchLink(imm.maybeLongDistance(words)!), `bl ${target}`);
    same(mem.loadLiteral(t, near), `ldr x${t}, ${target}`);
  }),
);
