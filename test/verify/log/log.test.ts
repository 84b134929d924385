import t from 'tap';
import { VerifierLog } from '../../../src/compiler/verify/log/log.js';
import { decimal64, signedText, tnumText, unsignedText } from '../../../src/compiler/verify/log/numbers.js';

t.test('reset cuts inside a piece', (t) => {
  const log = new VerifierLog(1, false);
  log.write('first\n');
  log.write('second\n');
  log.write('third\n');
  log.reset(9);
  t.equal(log.toString(), 'first\nsec');
  log.write('ond again\n');
  t.equal(log.toString(), 'first\nsecond again\n');
  log.reset(0);
  t.equal(log.toString(), '');
  t.end();
});

t.test('level 0 keeps nothing', (t) => {
  const log = new VerifierLog(0, false);
  log.write('x');
  t.equal(log.position, 0);
  t.equal(log.toString(), '');
  t.end();
});

t.test('a log that outgrows its buffer keeps the end and says so', (t) => {
  const log = new VerifierLog(2, false);
  const piece = 'x'.repeat(1 << 20);
  for (let i = 0; i < 31; i++) log.write(piece);
  t.notOk(log.overflowed);
  log.write(piece);
  log.write('the end');
  t.ok(log.overflowed);
  t.ok(log.toString().endsWith('the end'));
  t.ok(log.toString().length <= 33 << 20);
  t.end();
});

t.test('numbers as the kernel writes them', (t) => {
  t.equal(unsignedText(0, 65535), '65535');
  t.equal(unsignedText(0, 65536), '0x10000');
  t.equal(unsignedText(-1, -1), '0xffffffffffffffff');
  t.equal(signedText(-1, -32768), '-32768');
  t.equal(signedText(-1, -32769), '0xffffffffffff7fff');
  t.equal(signedText(0, 32768), '0x8000');
  t.equal(tnumText(0, 0, 0, 255), '(0x0; 0xff)');
  t.equal(decimal64(-1, 0, true), '-4294967296');
  t.equal(decimal64(-1, 0, false), '18446744069414584320');
  t.end();
});
