import t from 'tap';
import * as u from '../../../src/compiler/verify/domain/u64.js';
import { generator, hi, lo, s64, u64, value } from './random.js';

t.test('arithmetic on halves equals BigInt', async (t) => {
  const next = generator(1);
  for (let i = 0; i < 20_000; i++) {
    const a = value(next);
    const b = value(next);
    const n = next() % 64;
    const [ah, al, bh, bl] = [hi(a), lo(a), hi(b), lo(b)];
    const same = (name: string, got: bigint, want: bigint): void => {
      if (got !== BigInt.asUintN(64, want)) t.fail(`${name} ${a} ${b} ${n}: ${got} for ${want}`);
    };
    same('add', u64(u.addHi(ah, al, bh, bl), u.addLo(al, bl)), a + b);
    same('sub', u64(u.subHi(ah, al, bh, bl), u.subLo(al, bl)), a - b);
    same('neg', u64(u.negHi(ah, al), u.negLo(al)), -a);
    same('mul', u64(u.mulHi(ah, al, bh, bl), u.mulLo(al, bl)), a * b);
    same('shl', u64(u.shlHi(ah, al, n), u.shlLo(al, n)), a << BigInt(n));
    same('shr', u64(u.shrHi(ah, n), u.shrLo(ah, al, n)), a >> BigInt(n));
    same('sar', u64(u.sarHi(ah, n), u.sarLo(ah, al, n)), s64(ah, al) >> BigInt(n));
    const order = [
      u.ltU(ah, al, bh, bl) === a < b,
      u.leU(ah, al, bh, bl) === a <= b,
      u.ltS(ah, al, bh, bl) === s64(ah, al) < s64(bh, bl),
      u.leS(ah, al, bh, bl) === s64(ah, al) <= s64(bh, bl),
      u.fls(ah, al) === (a === 0n ? 0 : a.toString(2).length),
      u.isPowerOfTwo(ah, al) === (a !== 0n && (a & (a - 1n)) === 0n),
      u.decimalU(ah, al) === a.toString(),
      u.decimalS(ah, al) === s64(ah, al).toString(),
      u.hex(ah, al) === a.toString(16),
    ];
    if (order.includes(false)) t.fail(`comparison or text ${order.indexOf(false)} of ${a} ${b}`);
    const sum = s64(ah, al) + s64(bh, bl);
    const difference = s64(ah, al) - s64(bh, bl);
    const overflows = [
      u.addOverflowsS(ah, bh, u.addHi(ah, al, bh, bl)) === (sum !== BigInt.asIntN(64, sum)),
      u.subOverflowsS(ah, bh, u.subHi(ah, al, bh, bl)) === (difference !== BigInt.asIntN(64, difference)),
    ];
    if (overflows.includes(false)) t.fail(`overflow ${overflows.indexOf(false)} of ${a} ${b}`);
  }
  t.pass();
});
